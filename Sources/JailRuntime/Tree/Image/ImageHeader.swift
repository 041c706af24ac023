import JailPlan
import Kernel

/// What the first bytes of an image say: which file system it holds, and from which byte on.
struct ImageHeader {
    let format: ImageFormat?
    let offset: UInt64

    /// Looks at an open file; `written` is the offset that the spec names. Nothing that the file says is believed but where its
    /// file system begins.
    init(of file: Int32, from written: UInt64?) throws(KernelError) {
        if let written { offset = written } else { offset = try Self.partition(of: file) ?? 0 }
        let start = try readBytes(file, at: Int64(clamping: offset), upTo: 2048)
        func has(_ magic: [UInt8], at place: Int) -> Bool {
            start.count >= place + magic.count && start[place..<(place + magic.count)].elementsEqual(magic)
        }
        // squashfs_fs.h, erofs_fs.h, ext4.h of the kernel: all of them little-endian.
        if has(Array("hsqs".utf8), at: 0) {
            format = .squashfs
        } else if has([0xE2, 0xE1, 0xF5, 0xE0], at: 1024) {
            format = .erofs
        } else if has([0x53, 0xEF], at: 1024 + 56) {
            format = .ext4
        } else {
            format = nil
        }
    }

    /// Where the primary system partition of a SIF file begins: a header of 128 bytes, then descriptors of 585 bytes each. nil for
    /// what is none.
    private static func partition(of file: Int32) throws(KernelError) -> UInt64? {
        let header = try readBytes(file, at: 0, upTo: 128)
        guard header.count == 128, header[32..<42].elementsEqual(Array("SIF_MAGIC".utf8) + [0]) else { return nil }
        let (count, table) = (number(header, 88, 8), number(header, 96, 8))
        guard count <= 4096, table < UInt64(Int64.max) - (4096 * 585) else { return nil }
        for index in 0..<Int(count) {
            let entry = try readBytes(file, at: Int64(table) + Int64(index) * 585, upTo: 585)
            guard entry.count == 585 else { return nil }
            // In use, a partition, and the one that is the system.
            if entry[4] != 0, number(entry, 0, 4) == 0x4004, number(entry, 205, 4) == 2 { return number(entry, 17, 8) }
        }
        return nil
    }

    private static func number(_ bytes: [UInt8], _ place: Int, _ width: Int) -> UInt64 {
        UInt64(littleEndianBytes: bytes[place..<place + width])
    }
}
