import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// What of the tree's parts can be seen before it is complete: propagation, sources, new file systems, files.
extension Applier {
    /// Whoever attaches a mount to a tree that is shared attaches it to the host's as well. With a user namespace of the
    /// jail's own there is no way out: the kernel has made the tree a receiver only (mount_namespaces(7)), and what it could
    /// receive is gone with it; that nothing else does, `checkTree` sees.
    mutating func checkIsolation(_ plan: Plan) throws(Failure) {
        if plan.makes(.user), shown == nil { return }
        var propagates: Bool?
        if let record = mountRecord(of: "/") {
            propagates = record.propagates
        } else if !plan.makes(.user) {
            let table = try mountTable()
            let root = try failing { () throws(KernelError) in try table.identity(of: "/") }
            propagates = table.index(of: root).map { table[$0].propagates }
        }
        try hold(
            propagates != true, "propagation of /", "private",
            propagates.map { $0 ? "shared" : "private" } ?? "not asked")
    }

    func mountTable() throws(Failure) -> MountTable {
        try failing { () throws(KernelError) in
            try MountTable { () throws(KernelError) in
                do throws(KernelError) {
                    let directory = hostProc?.descriptor
                    let file =
                        if let directory { try open("self/mountinfo", at: directory, .read) } else {
                            try open("/proc/self/mountinfo", .read)
                        }
                    return try readAll(file.number, limit: 1 << 26, path: "/proc/self/mountinfo")
                } catch {
                    throw KernelError(error.call, error.errno, path: "/proc/self/mountinfo")
                }
            }
        }
    }

    /// What of a filling can be seen before it is attached.
    mutating func check(_ slot: Int, _ filling: Filling, _ promise: SlotPromise) throws(Failure) {
        // A missing optional source has left no mount.
        guard slots[slot] >= 0 else { return }
        switch filling {
        // At once: mount points are about to be made, and none in a tree of the host's. The tree shows what is below, too.
        case .tree(let source):
            try checkSource(slot, source, promise)
            if let limit = source.limit { try checkRoom(slot, limit) }
        case .overlay(let source):
            try checkOverlay(slot, source)
            if !promise.isSealed { noteOwner(slot, source, promise.target) }
            if let limit = source.limit { try checkRoom(slot, limit) }
        case .image(let source): try checkImage(slot, source)
        case .device: break  // its numbers were proven where it was opened
        case .fileSystem(let fileSystem), .noticeSocket(let fileSystem), .credentials(let fileSystem):
            try checkParameters(slot, fileSystem)
        case .file(let content, let mode): try checkFile(slot, content.utf8.count, mode)
        case .passedFile(_, let mode): try checkFile(slot, nil, mode)
        }
    }

    /// What holds on the mount that a source, or a clone of it, is on; nothing that the spec asks to be open.
    @discardableResult
    func requireOpen(_ source: TreeSource, _ descriptor: Int32) throws(Failure) -> MountAttributes {
        let held = try failing { () throws(KernelError) in try heldAttributes(of: descriptor) }
        let denied = held & source.demands
        guard denied.rawValue != 0 else { return held }
        let flags = denied.words.joined(separator: ",")
        throw Failure(
            telling: "\(source.path) is on a mount that is \(flags), and what is mounted from there is so, too",
            hint: denied.hasAll(of: .readOnly) ? Remedy.readWritePath(source.path) : nil)
    }

    private mutating func checkSource(_ slot: Int, _ source: TreeSource, _ promise: SlotPromise) throws(Failure) {
        let descriptor = slots[slot]
        guard promise.attributes.hasAll(of: .readOnly) || source.demands.rawValue != 0 else { return }
        let held = try requireOpen(source, descriptor)
        guard promise.attributes.hasAll(of: .readOnly) else {
            // What is shown for its device nodes is not there to make files in.
            if promise.attributes.hasAll(of: .noDevices) { try noteOwner(slot, source) }
            return
        }
        let isReadOnly = held.hasAll(of: .readOnly)
        try hold(isReadOnly, "clone of \(source.path)", "ro", isReadOnly ? "ro" : "rw")
    }

    /// What limits a tmpfs, or a ramfs. The other file systems are made with parameters that only ever open them further,
    /// but for procfs, which the tree shows.
    private mutating func checkParameters(_ slot: Int, _ fileSystem: FileSystem) throws(Failure) {
        let (descriptor, type) = (slots[slot], fileSystem.type)
        guard type == "tmpfs" || type == "ramfs" else { return }
        for parameter in fileSystem.parameters {
            guard let value = parameter.value else { continue }
            switch parameter.key {
            case "mode":
                let found = try failing { () throws(KernelError) in try status(of: descriptor).permissions }
                try hold(found == octal(value), "mode of the \(type)", value, "0" + String(found, radix: 8))
            case "size", "nr_inodes":
                let room = try failing { () throws(KernelError) in try capacity(of: descriptor) }
                let isSize = parameter.key == "size"
                let (found, wanted) = (isSize ? room.bytes : room.inodes, bytes(value))
                // In whole pages, of up to 64 KiB; 0 is no limit at all.
                let isInForce = isSize ? found >= wanted && found - wanted < 65536 : found == wanted
                try hold(isInForce, "\(parameter.key) of the \(type)", value, "\(found)")
            default: break
            }
        }
    }

    private func octal(_ digits: String) -> UInt32 {
        digits.utf8.reduce(0) { $0 &* 8 &+ UInt32($1 &- UInt8(ascii: "0")) }
    }

    /// `64M` as the kernel reads it, memparse of lib/cmdline.c.
    private func bytes(_ text: String) -> UInt64 {
        var value: UInt64 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
            case UInt8(ascii: "k"), UInt8(ascii: "K"): value <<= 10
            case UInt8(ascii: "m"), UInt8(ascii: "M"): value <<= 20
            case UInt8(ascii: "g"), UInt8(ascii: "G"): value <<= 30
            default: break
            }
        }
        return value
    }

    /// `size` is nil where whoever wrote the file has seen its end.
    private mutating func checkFile(_ slot: Int, _ size: Int?, _ mode: UInt32) throws(Failure) {
        let descriptor = slots[slot]
        let found = try failing { () throws(KernelError) in try status(of: descriptor) }
        let size = size ?? found.size
        try hold(
            found.isRegular && found.size == size && found.permissions == mode, "file",
            "\(size) bytes, mode 0\(String(mode, radix: 8))",
            "\(found.size) bytes, mode 0\(String(found.permissions, radix: 8))")
    }
}
