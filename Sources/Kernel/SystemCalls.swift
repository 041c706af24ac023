import CLinux
import CSeccomp

/// Whether libseccomp knows a system call of that name, on this or on another architecture. The corresponding C function
/// is `seccomp_syscall_resolve_name`.
package func isSystemCall(_ name: String) -> Bool {
    unsafe name.withCString { unsafe seccomp_syscall_resolve_name($0) } != __NR_SCMP_ERROR
}

/// The names of the running architecture's system calls. The corresponding C function is
/// `seccomp_syscall_resolve_num_arch`.
package func systemCallNames() -> [String] {
    (Int32(0)..<1024).compactMap { number in
        guard let name = unsafe seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number) else { return nil }
        defer { unsafe free(name) }
        return unsafe String(cString: name)
    }
}
