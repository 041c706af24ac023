import CLinux
import Testing

@testable import Kernel

/// The filter against nested namespaces, run by an interpreter of classic BPF.
@Suite struct FilterTests {
    enum Answer: Equatable { case allowed, killed, errno(Int32), invalid }

    private static let native: UInt32 = {
        #if arch(x86_64)
            0xC000_003E
        #else
            0xC000_00B7
        #endif
    }()
    private static let namespaceFlags = [
        CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP,
    ].map { UInt64(UInt32(bitPattern: Int32($0))) }

    /// What the filter answers to a call: `struct seccomp_data` word by word.
    private func answer(
        _ number: UInt32, _ first: UInt64 = 0, architecture: UInt32 = native, others: Bool = false
    ) -> Answer {
        var words = [UInt32](repeating: 0, count: 16)
        (words[0], words[1]) = (number, architecture)
        (words[4], words[5]) = (UInt32(truncatingIfNeeded: first), UInt32(truncatingIfNeeded: first >> 32))
        let program = namespaceFilter(ofI386: others, ofX32: others)
        var accumulator: UInt32 = 0
        var counter = 0
        while counter < program.count {
            let step = program[counter]
            counter += 1
            let k = step.k
            var jump: Bool?
            switch Int32(step.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                guard k % 4 == 0, k / 4 < 16 else { return .invalid }
                accumulator = words[Int(k / 4)]
            case BPF_JMP | BPF_JEQ | BPF_K: jump = accumulator == k
            case BPF_JMP | BPF_JGE | BPF_K: jump = accumulator >= k
            case BPF_JMP | BPF_JSET | BPF_K: jump = accumulator & k != 0
            case BPF_ALU | BPF_AND | BPF_K: accumulator &= k
            case BPF_RET | BPF_K:
                switch k & 0xFFFF_0000 {
                case UInt32(SECCOMP_RET_ALLOW): return .allowed
                case UInt32(SECCOMP_RET_ERRNO): return .errno(Int32(k & 0xFFFF))
                case UInt32(SECCOMP_RET_KILL_PROCESS): return .killed
                default: return .invalid
                }
            default: return .invalid
            }
            if let jump { counter += Int(jump ? step.jt : step.jf) }
        }
        return .invalid
    }

    @Test func unshareAndSetnsAreRefusedWhateverTheirArguments() {
        for number in [SYS_unshare, SYS_setns] {
            for argument in [0, UInt64(CLONE_NEWUSER), .max] {
                #expect(answer(UInt32(number), argument) == .errno(EPERM))
            }
        }
    }

    @Test func cloneIsRefusedWithEachFlagOfANamespace() {
        for flag in Self.namespaceFlags {
            for other in [0, UInt64(SIGCHLD), UInt64(CLONE_VM | CLONE_VFORK), 0xFFFF_FFFF_0000_0000] {
                #expect(answer(UInt32(SYS_clone), flag | other) == .errno(EPERM))
            }
        }
    }

    /// The low byte of clone's flags is the exit signal: bit 7, CLONE_NEWTIME elsewhere, means no namespace there.
    @Test func cloneWithoutThemIsAllowed() {
        let threads = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS
        for flags in [0, UInt64(SIGCHLD), UInt64(threads), UInt64(CLONE_VM | CLONE_VFORK | SIGCHLD), 0x80, 0xFF] {
            #expect(answer(UInt32(SYS_clone), flags) == .allowed)
        }
        let all = Self.namespaceFlags.reduce(0, |)
        #expect(answer(UInt32(SYS_clone), UInt64(UInt32.max) & ~all) == .allowed)
    }

    /// A filter cannot read the structure that clone3 takes; libc falls back to clone.
    @Test func clone3IsUnknown() { #expect(answer(UInt32(SYS_clone3), .max) == .errno(ENOSYS)) }

    @Test func foreignCallsEndTheProcess() {
        for architecture in [0, 0x4000_0003, 0x4000_0028, ~Self.native] {
            #expect(answer(UInt32(SYS_getpid), architecture: architecture) == .killed)
        }
    }

    @Test func x32CallsAreRefused() {
        for number in [SYS_getpid, SYS_unshare, SYS_clone, SYS_clone3] {
            #expect(answer(UInt32(number) | 0x4000_0000) == .errno(EPERM))
        }
        #expect(answer(.max) == .errno(EPERM))
    }

    @Test func everythingElseIsAllowed() {
        let refused = [SYS_unshare, SYS_setns, SYS_clone3].map { UInt32($0) }
        for number in UInt32(0)..<600 where !refused.contains(number) {
            #expect(answer(number) == .allowed, "\(number)")
        }
    }

    @Test func callsOfOtherABIsThatAreOpenAreRefusedAlike() {
        let (i386, x32) = (UInt32(0x4000_0003), UInt32(0x4000_0000))
        for flag in Self.namespaceFlags {
            #expect(answer(120, flag, architecture: i386, others: true) == .errno(EPERM))
            #expect(answer(UInt32(SYS_clone) | x32, flag, others: true) == .errno(EPERM))
        }
        for number in [310, 346] as [UInt32] {
            #expect(answer(number, architecture: i386, others: true) == .errno(EPERM))
            #expect(answer(number, architecture: i386) == .killed)
        }
        #expect(answer(435, architecture: i386, others: true) == .errno(ENOSYS))
        for number in [SYS_unshare, SYS_setns] {
            #expect(answer(UInt32(number) | x32, others: true) == .errno(EPERM))
        }
        #expect(answer(20, architecture: i386, others: true) == .allowed)
        #expect(answer(UInt32(SYS_getpid) | x32, others: true) == .allowed)
        #expect(answer(UInt32(SYS_getpid), architecture: 0x4000_0028, others: true) == .killed)
    }

    /// Every way through ends in an answer: no jump leads past the end, and no step is dead.
    @Test(arguments: [false, true]) func theProgramIsWellFormed(_ others: Bool) {
        let program = namespaceFilter(ofI386: others, ofX32: others)
        var reached: Set = [0]
        for (index, step) in program.enumerated() {
            guard Int32(step.code) & 7 != BPF_RET else { continue }
            if Int32(step.code) & 7 == BPF_JMP {
                reached.formUnion([index + 1 + Int(step.jt), index + 1 + Int(step.jf)])
            } else {
                reached.insert(index + 1)
            }
        }
        #expect(reached == Set(program.indices))
    }
}
