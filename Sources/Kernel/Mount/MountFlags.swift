import CLinux

/// Whether the mount that an open file is on forbids execution. The corresponding C function is `fstatfs`.
package func isMountedNoexec(_ descriptor: Int32) throws(KernelError) -> Bool {
    var result = statfs()
    try attempt(.fstatfs) { unsafe fstatfs(descriptor, &result) }
    return Int(result.f_flags) & Int(ST_NOEXEC) != 0
}
