import Kernel

/// An open file with an ext4 that a program reads, or writes to, in place of the kernel.
struct ImageFile {
    let file: Int32
    /// Where it begins, in bytes.
    let offset: UInt64
    let path: String

    /// Its name for the programs of e2fsprogs, as a shell reads it.
    var device: String { offset == 0 ? path : "'\(path)?offset=\(offset)'" }

    /// Whether its superblock says that it was unmounted in order, has no errors that are known, and no journal to be gone through.
    var isClean: Bool {
        get throws(KernelError) {
            // ext4.h of the kernel: s_state, s_feature_incompat.
            let block = try readBytes(file, at: Int64(clamping: offset) + 1024, upTo: 1024)
            guard block.count == 1024 else { return false }
            let state = UInt64(littleEndianBytes: block[0x3A..<0x3C])
            let needsRecovery = UInt64(littleEndianBytes: block[0x60..<0x64]) & 4 != 0
            return state & 3 == 1 && !needsRecovery
        }
    }
}
