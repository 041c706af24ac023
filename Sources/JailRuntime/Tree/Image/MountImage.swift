import JailPlan
import Kernel
import LinuxFacts
import SpecFile

/// The file of an image, open to be read.
struct OpenImage {
    let file: Int32
    let format: ImageFormat
}

/// Images: the file opened and looked at, then mounted by the kernel or for a program that reads it.
extension Applier {
    /// −1 where an optional file is missing.
    mutating func mountImage(
        _ slot: Int, _ source: ImageSource, _ attributes: MountAttributes, of plan: Plan
    ) throws(Failure) -> Int32 {
        guard case .kernel = source.reader else {
            // The launcher has opened it, or has found it missing.
            return try mountForServer(slot, attributes, of: plan)
        }
        guard let image = try openImage(source, of: plan) else { return -1 }
        defer { closeDescriptor(image.file) }
        try refuseForeign(image.file, source.path)
        if image.format == .ext4 { try takeTurn(image.file, source) }
        let mount = try mountByKernel(image, source, attributes.without(.idMapped))
        if let ids = source.fileIDs {
            try mapFiles(of: mount.number, source.path, ids, [.idMapped], recursive: false, image: image.format)
        }
        return mount.release()
    }

    /// nil where an optional file is missing. What it holds is what was planned for, or nothing is mounted.
    mutating func openImage(_ source: ImageSource, of plan: Plan) throws(Failure) -> OpenImage? {
        do throws(Failure) {
            return try openImage(source, at: try reach(source.path, of: plan))
        } catch {
            guard case .kernel = error.cause, error.errno == .noEntry, source.optional else { throw error }
            return nil
        }
    }

    private func openImage(_ source: ImageSource, at place: borrowing Descriptor) throws(Failure) -> OpenImage {
        let (number, proc) = (place.number, try proc().descriptor)
        let (file, format) = try failing { () throws(KernelError) -> (Int32, ImageFormat?) in
            // Opening a device can have effects: nothing else than a file is opened.
            guard try status(of: number).isRegular else { return (-1, nil) }
            let mode: OpenMode = source.room == nil ? .read : .readWrite
            let file = try open("self/fd/\(number)", at: proc, mode | .nonBlocking | .noTerminal)
            let format = try ImageHeader(of: file.number, from: source.offset).format
            return (file.release(), format)
        }
        guard let format, format == source.format else {
            if file >= 0 { closeDescriptor(file) }
            let before = source.refusal.map { ", when it could not be opened: \($0)" } ?? ""
            throw Failure(
                telling: "\(source.path) is not the image any more that it was as the launch began\(before)", hint: nil)
        }
        return OpenImage(file: file, format: format)
    }

    /// The kernel believes what a file system says of itself: whoever can write that can make the kernel do what it should not.
    func refuseForeign(_ file: Int32, _ path: String) throws(Failure) {
        let found = try failing { () throws(KernelError) in try status(of: file) }
        guard found.owner != 0 || found.permissions & 0o022 != 0 else { return }
        throw Failure(
            telling: found.owner != 0
                ? "\(path) belongs to uid \(found.owner): root has the kernel read only what nobody else can write"
                : "\(path) is writable by others: root has the kernel read only what nobody else can write",
            hint: "as root: chown 0 \(shellWord(path)) && chmod go-w \(shellWord(path))")
    }

    /// Two who write to one image, or one who reads it meanwhile, would see it break. The device that shows it holds the lock, or the
    /// launcher: it is of the open file. Blocks that are missing on the disk would be found missing after write(2) has taken the data.
    func takeTurn(_ file: Int32, _ source: ImageSource) throws(Failure) {
        try waitForTurn(file, source)
        if source.room != nil { try failing { () throws(KernelError) in try reserveBlocks(of: file) } }
    }

    /// The same, and nothing of it lasts longer than the file is open.
    func waitForTurn(_ file: Int32, _ source: ImageSource) throws(Failure) {
        let isWritten = source.room != nil
        let due = monotonicNanoseconds() + Self.patience
        while try !failing({ () throws(KernelError) in try takeLock(file, isShared: !isWritten) }) {
            // A jail that has just ended: its device goes a moment later.
            guard monotonicNanoseconds() < due else {
                throw Failure(
                    telling: "\(source.path) is mounted by another jail" + (isWritten ? "" : ", which may change it"),
                    hint: "wait for that, or give each jail an image of its own: cp --reflink=auto")
            }
            var none: [Watch] = []
            try failing { () throws(KernelError) in try poll(&none, milliseconds: 5) }
        }
        if isWritten, source.reader == .server { try requireClean(file, source) }
    }

    /// The kernel mends what has been left half done from the journal; fuse2fs writes none.
    private func requireClean(_ file: Int32, _ source: ImageSource) throws(Failure) {
        let image = ImageFile(file: file, offset: source.offset, path: source.path)
        if try failing({ () throws(KernelError) in try image.isClean }) { return }
        throw Failure(
            telling: "\(source.path) was not unmounted in order, or has errors", hint: "e2fsck -fy \(image.device)")
    }

    private static let patience = 500_000_000

    private func mountByKernel(
        _ image: OpenImage, _ source: ImageSource, _ attributes: MountAttributes
    ) throws(Failure) -> Descriptor {
        var words: [String] = []
        do throws(KernelError) {
            if image.format == .erofs, let mount = try mountErofs(image, source, attributes, &words) { return mount }
            let isWritten = source.room != nil
            let device = try LoopDevice(showing: image.file, from: source.offset, isWritten: isWritten)
            guard try device.shows(image.file, from: source.offset, isWritten: isWritten) else {
                throw KernelError(.ioctl, .invalid, path: "LOOP_GET_STATUS64")
            }
            let context = try FileSystemContext(image.format.rawValue)
            try context.set("source", device.path)
            // What is wrong in it is no reason for a panic, whatever it says itself.
            if isWritten { try context.set("errors", "remount-ro") } else { try context.set("ro", nil) }
            return try context.mount(attributes, hearing: &words)
        } catch {
            // `e squashfs: ...`: how grave it is, then what.
            guard let said = words.last(where: { $0.utf8.first == UInt8(ascii: "e") }) else { throw Failure(error) }
            let text = said.utf8.dropFirst(2).filter { $0 != UInt8(ascii: "\n") }
            throw Failure(
                telling: "\(error.call.name): \(error.errno.name): \(String(decoding: text, as: UTF8.self))", hint: nil)
        }
    }

    /// From the file itself, without a loop device: Linux 6.12, and from another place than its first byte 6.17. nil where the
    /// kernel cannot.
    private func mountErofs(
        _ image: OpenImage, _ source: ImageSource, _ attributes: MountAttributes, _ words: inout [String]
    ) throws(KernelError) -> Descriptor? {
        do throws(KernelError) {
            let context = try FileSystemContext("erofs")
            try context.set("source", "/proc/self/fd/\(image.file)")
            if source.offset != 0 { try context.set("fsoffset", "\(source.offset)") }
            try context.set("ro", nil)
            return try context.mount(attributes, hearing: &words)
        } catch {
            guard error.errno == .notBlockDevice || error.path == "fsoffset" else { throw error }
            words = []
            return nil
        }
    }

    /// Reads back what there is: the file system that was asked for, and shut where it takes no changes.
    func checkImage(_ slot: Int, _ source: ImageSource) throws(Failure) {
        let view = slots[slot]
        let (magic, isShut) = try failing { () throws(KernelError) in try fileSystemKind(of: view) }
        let bytes = try failing { () throws(KernelError) in try capacity(of: view).bytes }
        let wanted =
            switch (source.reader, source.format) {
            case (.server, _), (_, nil): FileSystemMagic.fuse
            case (_, .squashfs?): FileSystemMagic.squashfs
            case (_, .erofs?): FileSystemMagic.erofs
            case (_, .ext4?): FileSystemMagic.ext4
            }
        func text(_ magic: Int, _ isShut: Bool) -> String {
            "magic \(String(magic, radix: 16))" + (isShut ? ", ro" : ", rw")
        }
        let isToBeShut = source.room == nil
        guard magic == wanted, isShut == isToBeShut else {
            throw Failure(
                .notInForce, text: "image: promised \(text(wanted, isToBeShut)), the kernel says \(text(magic, isShut))"
            )
        }
        if let room = source.room, bytes == 0 || bytes > room {
            throw Failure(.notInForce, text: "image: promised at most \(room) bytes, the kernel says \(bytes)")
        }
    }
}
