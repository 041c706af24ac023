import Kernel

/// Which file it is, for ever: the number of its inode is given to another one when it has gone.
struct FileMark: Hashable {
    /// What that other one has not: what the file system calls it by, or else when it was made.
    enum Proof: Hashable { case handle(FileHandle), birth(Int64), numbers }

    let identity: FileIdentity
    let proof: Proof

    /// Of an open file, also of one opened with `O_PATH`. `directory`: the one that it is in, whose file system calls its files alike.
    init(of file: Int32, in directory: FileMark? = nil) throws(KernelError) {
        identity = try status(of: file).identity
        // A server's file that nobody uses for a while may be called by another number after that.
        var isCalledByHandle = false
        if let directory, case .handle = directory.proof {
            isCalledByHandle = directory.identity.device == identity.device
        }
        if !isCalledByHandle { isCalledByHandle = try fileSystemMagic(of: file) != FileSystemMagic.fuse }
        if isCalledByHandle, let handle = try fileHandle("", at: file) {
            proof = .handle(handle)
        } else {
            proof = try birth(of: file).map { Proof.birth($0) } ?? .numbers
        }
    }

    /// Of an entry, which is not followed.
    init(_ name: EntryName, at directory: Int32) throws(KernelError) {
        let entry = try openEntry(name, at: directory, .path)
        self = try FileMark(of: entry.number)
    }

    /// Whether it is that file still, in the course of one apply. What overlayfs copies up is made then, and keeps its number: of times the
    /// number says as much.
    func isStill(_ other: FileMark) -> Bool {
        guard identity == other.identity else { return false }
        guard case .handle = proof, case .handle = other.proof else { return true }
        return proof == other.proof
    }

    /// Whether something that is done in it makes it anew to the file system.
    var isLasting: Bool { if case .birth = proof { false } else { true } }
}

// As it is written down: device, inode, and the proof.
extension FileMark {
    var text: String {
        let numbers = "\(identity.device) \(identity.inode) "
        switch proof {
        case .handle(let handle):
            return numbers + "handle \(handle.kind) \(hexDigits(handle.bytes))"
        case .birth(let time): return numbers + "birth \(time)"
        case .numbers: return numbers + "alone"
        }
    }

    init?(_ words: ArraySlice<Substring>) {
        let words = Array(words)
        guard words.count >= 3, let device = UInt64(words[0]), let inode = UInt64(words[1]) else { return nil }
        identity = FileIdentity(device: device, inode: inode)
        switch (words[2], words.count) {
        case ("handle", 5):
            guard let kind = Int32(words[3]), let bytes = bytes(ofDigits: words[4]) else { return nil }
            proof = .handle(FileHandle(kind: kind, bytes: bytes))
        case ("birth", 4):
            guard let time = Int64(words[3]) else { return nil }
            proof = .birth(time)
        case ("alone", 3): proof = .numbers
        default: return nil
        }
    }
}
