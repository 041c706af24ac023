import CLinux
import LinuxFacts

/// Refuses new and foreign namespaces to this process and its descendants by a filter of its own, for a jail whose user
/// namespace is shared and so has no `max_user_namespaces` of its own to set to 0.
///
/// unshare, setns, and clone with a namespace flag answer EPERM; clone3, whose flags a filter cannot read, answers ENOSYS
/// so that libc falls back to clone. Of i386 and x32 the same calls are refused where these ABIs are asked for; else every
/// call of x32 answers EPERM, and one of i386 or another ABI ends the process. The corresponding C function is `seccomp`.
package func refuseNamespaces(ofI386: Bool, ofX32: Bool) throws(KernelError) {
    // No filter without no_new_privs or CAP_SYS_ADMIN: seccomp(2).
    let program = namespaceFilter(ofI386: ofI386, ofX32: ofX32)
    let unsynchronised = try attempt(.seccomp) {
        unsafe linux_seccomp_filter(program, UInt16(program.count))
    }
    // SECCOMP_FILTER_FLAG_TSYNC answers with the thread that could not follow.
    guard unsynchronised == 0 else { throw KernelError(.seccomp, .noProcess) }
}

/// The program: offsets are those of `struct seccomp_data` (number 0, architecture 4, arguments from 16).
func namespaceFilter(ofI386: Bool = false, ofX32: Bool = false) -> [sock_filter] {
    #if arch(x86_64)
        let architecture = AuditArchitecture.x86_64
    #elseif arch(arm64)
        let architecture = AuditArchitecture.aarch64
    #else
        #error("no system-call table for this architecture")
    #endif
    let own = namespaceTests(
        unshare: UInt32(SYS_unshare), setns: UInt32(SYS_setns), clone3: UInt32(SYS_clone3), clone: UInt32(SYS_clone))
    // x32 calls carry bit 30 under the architecture of x86-64.
    let bitOfX32 =
        ofX32
        ? sock_filter(code: UInt16(BPF_ALU | BPF_AND | BPF_K), jt: 0, jf: 0, k: ~AuditArchitecture.x32Bit)
        : sock_filter(code: Step.atLeast, jt: 7, jf: 0, k: AuditArchitecture.x32Bit)
    var others = [sock_filter(code: Step.give, jt: 0, jf: 0, k: UInt32(SECCOMP_RET_KILL_PROCESS))]
    if ofI386 {
        let isI386 = sock_filter(code: Step.equal, jt: 1, jf: 0, k: AuditArchitecture.i386)
        // arch/x86/entry/syscalls/syscall_32.tbl.
        others =
            [isI386] + others + [Step.loadNumber] + namespaceTests(unshare: 310, setns: 346, clone3: 435, clone: 120)
    }
    return [
        sock_filter(code: Step.load, jt: 0, jf: 0, k: 4),
        sock_filter(code: Step.equal, jt: UInt8(others.count), jf: 0, k: architecture),
    ] + others + [Step.loadNumber, bitOfX32] + own
}

/// What is answered to a number that has been loaded: the flags of clone are its first argument in every ABI here.
private func namespaceTests(unshare: UInt32, setns: UInt32, clone3: UInt32, clone: UInt32) -> [sock_filter] {
    let namespaces = UInt32(
        CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP
            | CLONE_NEWTIME)
    func refuse(_ errno: Int32) -> UInt32 { UInt32(SECCOMP_RET_ERRNO) | UInt32(errno) }
    return [
        sock_filter(code: Step.equal, jt: 6, jf: 0, k: unshare),
        sock_filter(code: Step.equal, jt: 5, jf: 0, k: setns),
        sock_filter(code: Step.equal, jt: 5, jf: 0, k: clone3),
        sock_filter(code: Step.equal, jt: 0, jf: 2, k: clone),
        sock_filter(code: Step.load, jt: 0, jf: 0, k: 16),
        sock_filter(code: Step.anyBit, jt: 1, jf: 0, k: namespaces & ~0x80),
        sock_filter(code: Step.give, jt: 0, jf: 0, k: UInt32(SECCOMP_RET_ALLOW)),
        sock_filter(code: Step.give, jt: 0, jf: 0, k: refuse(EPERM)),
        sock_filter(code: Step.give, jt: 0, jf: 0, k: refuse(ENOSYS)),
    ]
}

/// Instructions of classic BPF.
private enum Step {
    static let load = UInt16(BPF_LD | BPF_W | BPF_ABS), give = UInt16(BPF_RET | BPF_K)
    static let equal = UInt16(BPF_JMP | BPF_JEQ | BPF_K), atLeast = UInt16(BPF_JMP | BPF_JGE | BPF_K)
    static let anyBit = UInt16(BPF_JMP | BPF_JSET | BPF_K)
    static let loadNumber = sock_filter(code: load, jt: 0, jf: 0, k: 0)
}
