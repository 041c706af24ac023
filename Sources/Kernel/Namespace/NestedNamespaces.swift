import CLinux
import LinuxFacts

/// Refuses new and foreign namespaces to this process and its descendants by a filter of its own, for a jail whose user
/// namespace is shared and so has no `max_user_namespaces` of its own to set to 0.
///
/// unshare, setns, and clone with a namespace flag answer EPERM; clone3, whose flags a filter cannot read, answers ENOSYS
/// so that libc falls back to clone. Calls of a foreign ABI end the process. The corresponding C function is `seccomp`.
package func refuseNamespaces() throws(KernelError) {
    // No filter without no_new_privs or CAP_SYS_ADMIN: seccomp(2).
    let program = namespaceFilter()
    let unsynchronised = try attempt(.seccomp) {
        unsafe linux_seccomp_filter(program, UInt16(program.count))
    }
    // SECCOMP_FILTER_FLAG_TSYNC answers with the thread that could not follow.
    guard unsynchronised == 0 else { throw KernelError(.seccomp, .noProcess) }
}

/// The program: offsets are those of `struct seccomp_data` (number 0, architecture 4, arguments from 16).
func namespaceFilter() -> [sock_filter] {
    #if arch(x86_64)
        let (architecture, cloneFlags): (UInt32, UInt32) = (AuditArchitecture.x86_64, 16)
    #elseif arch(arm64)
        let (architecture, cloneFlags): (UInt32, UInt32) = (AuditArchitecture.aarch64, 16)
    #else
        #error("no system-call table for this architecture")
    #endif
    let load = UInt16(BPF_LD | BPF_W | BPF_ABS)
    let equal = UInt16(BPF_JMP | BPF_JEQ | BPF_K)
    let atLeast = UInt16(BPF_JMP | BPF_JGE | BPF_K)
    let anyBit = UInt16(BPF_JMP | BPF_JSET | BPF_K)
    let give = UInt16(BPF_RET | BPF_K)
    let namespaces = UInt32(
        CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP
            | CLONE_NEWTIME)
    func refuse(_ errno: Int32) -> UInt32 { UInt32(SECCOMP_RET_ERRNO) | UInt32(errno) }
    return [
        sock_filter(code: load, jt: 0, jf: 0, k: 4),
        sock_filter(code: equal, jt: 1, jf: 0, k: architecture),
        sock_filter(code: give, jt: 0, jf: 0, k: UInt32(SECCOMP_RET_KILL_PROCESS)),
        sock_filter(code: load, jt: 0, jf: 0, k: 0),
        // x32 calls carry bit 30 under the architecture of x86-64.
        sock_filter(code: atLeast, jt: 7, jf: 0, k: AuditArchitecture.x32Bit),
        sock_filter(code: equal, jt: 6, jf: 0, k: UInt32(SYS_unshare)),
        sock_filter(code: equal, jt: 5, jf: 0, k: UInt32(SYS_setns)),
        sock_filter(code: equal, jt: 5, jf: 0, k: UInt32(SYS_clone3)),
        sock_filter(code: equal, jt: 0, jf: 2, k: UInt32(SYS_clone)),
        sock_filter(code: load, jt: 0, jf: 0, k: cloneFlags),
        sock_filter(code: anyBit, jt: 1, jf: 0, k: namespaces & ~0x80),
        sock_filter(code: give, jt: 0, jf: 0, k: UInt32(SECCOMP_RET_ALLOW)),
        sock_filter(code: give, jt: 0, jf: 0, k: refuse(EPERM)),
        sock_filter(code: give, jt: 0, jf: 0, k: refuse(ENOSYS)),
    ]
}
