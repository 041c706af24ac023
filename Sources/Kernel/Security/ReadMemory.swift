import CLinux

/// What stands in a thread's memory, at most `count` bytes and as far as it is mapped; EFAULT where nothing is. EPERM where the
/// caller may not trace it, ptrace(2), or a filter of its own refuses the call. The corresponding C function is
/// `process_vm_readv`.
package func readMemory(of thread: Int32, at address: UInt64, upTo count: Int) throws(KernelError) -> [UInt8] {
    try unsafe filled(.processVMReadv, upTo: count) { unsafe linux_read_memory(thread, address, $0, $1) }
}

/// The text there, without the NUL at its end; ENAMETOOLONG where that is not within `limit` bytes. Else as `readMemory`.
package func readMemoryText(of thread: Int32, at address: UInt64, limit: Int) throws(KernelError) -> [UInt8] {
    try unsafe filled(.processVMReadv, upTo: limit) { base, limit in
        unsafe base.withMemoryRebound(to: CChar.self, capacity: limit) { text in
            unsafe linux_read_text(thread, address, text, limit)
        }
    }
}
