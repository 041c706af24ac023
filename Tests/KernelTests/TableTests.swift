import CLinux
import LinuxFacts
import Testing

@testable import JailSpec
@testable import Kernel

/// The tables: numbers of the kernel's and their names.
@Suite struct TableTests {
    @Test(arguments: [
        (Errno.notPermitted, "EPERM", "operation not permitted"), (.noEntry, "ENOENT", "no such file or directory"),
        (.loop, "ELOOP", "too many levels of symbolic links"), (.unsupported, "ENOSYS", "function not implemented"),
        (.textBusy, "ETXTBSY", "text file busy"), (.crossesDevice, "EXDEV", "invalid cross-device link"),
        (Errno(rawValue: 524), "errno 524", "unknown error"), (Errno(rawValue: -1), "errno -1", "unknown error"),
    ]) func errnos(errno: Errno, name: String, words: String) {
        #expect(errno.name == name && errno.words == words)
    }

    /// `Message` carries one in a byte.
    @Test func everyErrnoWithANameFitsAByte() {
        for number in Int32(256)..<600 { #expect(Errno(rawValue: number).name.hasPrefix("errno ")) }
    }

    /// The table of JailSpec is that of libcap, which is that of the kernel.
    @Test func capabilities() throws {
        for capability in Capability.allCases {
            #expect(libraryName(ofCapability: capability.rawValue) == capability.name)
        }
        #expect(Capability.allCases.map(\.rawValue) == Array(0..<UInt8(Capability.allCases.count)))
        let last = try lastCapability()
        #expect(last >= 37 && last < 64)
    }

    /// The running kernel tells the same by itself.
    @Test func lastCapabilityIsTheKernels() throws {
        #expect(try readText("/proc/sys/kernel/cap_last_cap") == "\(try lastCapability())\n")
    }

    /// Numbers by libc's header, names as those without RLIMIT_.
    @Test func resources() {
        let kernel = [
            ("cpu", RLIMIT_CPU), ("fsize", RLIMIT_FSIZE), ("data", RLIMIT_DATA), ("stack", RLIMIT_STACK),
            ("core", RLIMIT_CORE), ("rss", __RLIMIT_RSS), ("nproc", __RLIMIT_NPROC), ("nofile", RLIMIT_NOFILE),
            ("memlock", __RLIMIT_MEMLOCK), ("as", RLIMIT_AS), ("locks", __RLIMIT_LOCKS),
            ("sigpending", __RLIMIT_SIGPENDING), ("msgqueue", __RLIMIT_MSGQUEUE), ("nice", __RLIMIT_NICE),
            ("rtprio", __RLIMIT_RTPRIO), ("rttime", __RLIMIT_RTTIME),
        ]
        #expect(kernel.count == Resource.allCases.count && kernel.count == Int(__RLIMIT_NLIMITS.rawValue))
        for (name, number) in kernel {
            #expect(Resource(rawValue: Int32(number.rawValue))?.name == name)
        }
    }

    /// The names that a spec may write are libc's, but for the second ones of a number.
    @Test func errorNumbers() {
        for number in Int32(0)...200 {
            let name = Errno(rawValue: number).name
            if number == 95 {
                #expect(ErrorNumber.name(of: number) == "ENOTSUP" && ErrorNumber.named(name) == number)
            } else {
                #expect(ErrorNumber.name(of: number) == (name.hasPrefix("E") ? name : nil), "\(number)")
            }
        }
        #expect(ErrorNumber.named("EWOULDBLOCK") == EWOULDBLOCK && ErrorNumber.named("EDEADLOCK") == EDEADLOCK)
    }

    /// Eight places for eight kinds, in the order in which they are declared.
    @Test func namespaces() {
        #expect(NamespaceKind.allCases.map(\.index) == Array(NamespaceKind.allCases.indices))
    }

    @Test func signals() {
        #expect(Signal.name(Signal.terminate) == "SIGTERM" && Signal.name(Signal.kill) == "SIGKILL")
        #expect(
            Signal.name(Signal.windowChanged) == "SIGWINCH" && Signal.name(0) == "SIG0" && Signal.name(64) == "SIG64")
        #expect(Signal.last == 64)
    }

    /// `Failure` crosses the fork with the call as a byte: every number up to the last is one.
    @Test func calls() {
        let calls = (UInt8(0)...255).compactMap { Call(rawValue: $0) }
        #expect(calls.count > 50 && calls.map(\.rawValue) == Array(0..<UInt8(calls.count)))
        #expect(Set(calls.map(\.name)).count == calls.count)
        for call in calls {
            #expect(call.name.utf8.allSatisfy { $0 != 0x20 && !(0x41...0x5A).contains($0) }, "\(call.name)")
        }
        #expect(
            Call.openTree.name == "open_tree" && Call.mountSetattr.name == "mount_setattr"
                && Call.umount.name == "umount2")
    }

    /// Wait(2): what the status word says, for every value of it.
    @Test func terminations() {
        for status in Int32(0)...0xFFFF {
            let end = Termination(status: status)
            if hasExited(status) {
                #expect(end == .exited(status >> 8))
            } else if hasStopped(status) {
                #expect(end == .stopped(status >> 8))
            } else if status == 0xFFFF {
                #expect(end == nil)
            } else if status & 0x7F != 0x7F {
                #expect(end == .signaled(status & 0x7F))
            }
        }
        #expect(Termination(status: 0x8B) == .signaled(11))
        #expect(Termination.exited(3).shellStatus == 3 && Termination.signaled(9).shellStatus == 137)
        #expect(Termination.stopped(19).shellStatus == 147)
    }

    private func hasExited(_ status: Int32) -> Bool { status & 0x7F == 0 }
    private func hasStopped(_ status: Int32) -> Bool { status & 0xFF == 0x7F }

    /// Each option set makes its literal by hand.
    @Test func literalsOfOptionSets() {
        #expect(([] as OpenMode).rawValue == 0)
        #expect(([.write, .create] as OpenMode).rawValue == O_WRONLY | O_CREAT)
        #expect(([.readOnly, .noSetuid] as MountAttributes).rawValue == UInt64(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID))
        #expect(([.user, .time] as NamespaceFlags).rawValue == UInt64(CLONE_NEWUSER | CLONE_NEWTIME))
        #expect(([.readable, .writable] as Readiness).rawValue == Int16(POLLIN | POLLOUT))
        #expect(MountAttributes.noAccessTime.touchesAccessTime && !MountAttributes.readOnly.touchesAccessTime)
        #expect(([.readOnly, .strictAccessTime] as MountAttributes).touchesAccessTime)
    }

    /// What LinuxFacts writes out is what the kernel's headers say.
    @Test func numbersOfTheHeaders() {
        let attributes: [(MountAttributes, Int32)] = [
            (.readOnly, MOUNT_ATTR_RDONLY), (.noSetuid, MOUNT_ATTR_NOSUID), (.noDevices, MOUNT_ATTR_NODEV),
            (.noExecute, MOUNT_ATTR_NOEXEC), (.noAccessTime, MOUNT_ATTR_NOATIME),
            (.strictAccessTime, MOUNT_ATTR_STRICTATIME), (.noDirectoryAccessTime, MOUNT_ATTR_NODIRATIME),
            (.noSymlinkFollow, MOUNT_ATTR_NOSYMFOLLOW),
        ]
        for (attribute, number) in attributes { #expect(attribute.rawValue == UInt64(number)) }
        #expect(SecureBits.noSetuidFixup.rawValue == 1 << UInt32(SECURE_NO_SETUID_FIXUP))
        // SECBIT_NOROOT and SECBIT_NO_SETUID_FIXUP with their locks.
        let pure = [SECURE_NOROOT, SECURE_NOROOT_LOCKED, SECURE_NO_SETUID_FIXUP, SECURE_NO_SETUID_FIXUP_LOCKED]
            .reduce(UInt32(0)) { $0 | 1 << UInt32($1) }
        #expect(SecureBits.pureCapabilities.rawValue == pure)
    }
}
