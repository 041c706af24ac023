import JailSpec
import LinuxFacts
import SpecFile

/// What the host has of images.
package struct HostImages: Sendable {
    /// A file that the spec mounts: what it holds (nil: no format that is known), and from which byte on.
    package struct File: Equatable, Sendable {
        package let path: String
        /// As it is written.
        package let written: UInt64?
        package let format: ImageFormat?
        package let offset: UInt64
        /// In bytes, of the whole file.
        package let size: UInt64
        /// Why its first bytes could not be read, as the call, the error's name and its words; nil where they were.
        package let refusal: String?

        package init(
            path: String, written: UInt64?, format: ImageFormat?, offset: UInt64, size: UInt64 = 0,
            refusal: String? = nil
        ) {
            (self.path, self.written, self.format, self.offset) = (path, written, format, offset)
            (self.size, self.refusal) = (size, refusal)
        }
    }

    /// Those that are there and can be read.
    package var files: [File] = []
    /// Those that could not be opened, and why: the launch will find out, or find them changed.
    package var closed: [(path: String, refusal: String)] = []
    /// Those of the programs that serve the images that are installed.
    package var servers: [String] = []
    package var hasFuseOverlayfs = false
    /// Whether the caller may open /dev/fuse.
    package var opensFuse = false

    package init() {}
}

extension Mount {
    /// Whether it is an image.
    package var isImage: Bool { if case .image = source { true } else { false } }

    /// Whether an ordinary user has it only by a program that serves it: an overlay that shows all as the jail's.
    package var asksForServer: Bool { isThrownAway && idmap?.value == true }
}

extension ImageSource {
    fileprivate func attributes(_ mount: Mount) -> MountAttributes {
        mount.options.attributes | (room == nil ? .readOnly : []) | (fileIDs == nil ? MountAttributes() : .idMapped)
    }
}

extension Planner {
    /// Whether images and overlays are served by programs beside the launcher, which stays to watch them.
    var servesFiles: Bool {
        guard !host.isPrivileged, isNew(.mount) else { return false }
        return spec.filesystem.mounts.contains { $0.isImage || $0.asksForServer }
            || spec.filesystem.rootOverlay?.asksForServer == true
    }

    /// What a program is to serve: opened by the launcher, which starts that program once the kernel asks for it.
    mutating func openServedFiles(_ sources: [Plan.Step]) {
        for step in sources {
            switch step.operation {
            case .tree(.fill(let slot, .image(let source), _)) where source.reader == .server:
                add(.tree(.openImage(slot: slot, source)), step.origin)
            case .tree(.fill(let slot, .overlay(let source), _)) where source.owner != nil:
                add(.tree(.openOverlay(slot: slot, source)), step.origin)
            default: continue
            }
        }
    }

    /// What becomes of the changes of an overlay is known only to the kernel's.
    mutating func refuseListing() {
        for step in plan.steps {
            guard case .tree(.fill(_, .overlay(let source), _)) = step.operation, source.owner != nil else { continue }
            fault(
                "--changes: what is changed through \(OverlaySource.server) cannot be listed", at: step.origin,
                hint: "leave --changes out, or idmap = true")
        }
    }
}

extension TreeBuilder {
    mutating func placeImage(_ mount: Mount, _ path: String, _ offset: UInt64?) {
        let source = image(mount, path, offset)
        place(
            .image(source), on: mount.target, source.attributes(mount), isDirectory: true,
            at: mount.position)
    }

    /// The root as an image.
    mutating func openRootImage(_ slot: Int) {
        guard let mount = spec.filesystem.rootImage, case .image(let path, let offset) = mount.source else { return }
        let source = image(mount, path, offset)
        let promise = SlotPromise(target: "/", attributes: source.attributes(mount))
        sources.append(Plan.Step(.tree(.fill(slot: slot, .image(source), promise)), mount.position))
    }

    private mutating func image(_ mount: Mount, _ path: String, _ offset: UInt64?) -> ImageSource {
        refuseWritable(mount, path)
        let file = host.images.files.first { $0.path == path && $0.written == offset }
        if let file, let refusal = file.refusal {
            faults.append(Diagnostic("mount.source: cannot read \(path): \(refusal)", at: mount.position))
        } else if let file, file.format == nil {
            faults.append(
                Diagnostic(
                    "mount.source: \(path) holds no squashfs, erofs or ext4"
                        + (file.offset == 0 ? "" : " from byte \(file.offset) on"), at: mount.position,
                    hint: "`file \(path)` says what it is; mksquashfs makes an image of a directory"))
        }
        let isWritten = mount.options.opened.hasAll(of: .readOnly)
        if isWritten { refuseChanges(mount, path, file?.format) }
        if !host.isPrivileged { refuseUnserved(mount, path, file?.format) }
        if host.isPrivileged && !host.isRealRoot {
            faults.append(
                Diagnostic(
                    "mount.source: the kernel reads images only for root of the machine, not for root of a container"
                        + (host.rootRefusal.map { ", and which of them this is cannot be told: \($0)" } ?? ""),
                    at: mount.position, hint: "launch as the machine's root, or as an ordinary user"))
        }
        return ImageSource(
            path: path, offset: file?.offset ?? offset ?? 0, format: file?.format,
            refusal: host.images.closed.first { $0.path == path }?.refusal,
            reader: host.isPrivileged ? .kernel : .server, optional: mount.optional, fileIDs: fileIDs(of: mount),
            room: isWritten ? file?.size ?? 0 : nil)
    }

    /// Only ext4 takes changes: by the kernel, which makes a block device of its file, or by the program that reads it.
    private mutating func refuseChanges(_ mount: Mount, _ path: String, _ format: ImageFormat?) {
        func refuse(_ why: String, hint: String) {
            faults.append(Diagnostic("mount.options: \(why)", at: mount.position, hint: hint))
        }
        if let format, format != .ext4 {
            refuse(
                "\(path) is \(format.rawValue), which takes no changes",
                hint: "leave out \"rw\"; or make an ext4: \(Remedy.makeImage)")
        }
    }

    /// An ordinary user has an image only by a program that reads it.
    private mutating func refuseUnserved(_ mount: Mount, _ path: String, _ format: ImageFormat?) {
        guard let format else { return }
        guard let server = format.server else {
            faults.append(
                Diagnostic(
                    "mount.source: \(path) is \(format.rawValue), which only root can mount: Debian 12 has no erofsfuse",
                    at: mount.position, hint: Remedy.convertImage))
            return
        }
        if !host.images.servers.contains(server) {
            faults.append(
                Diagnostic(
                    "mount.source: for an ordinary user \(server)(1) reads \(format.rawValue), and it is not installed",
                    at: mount.position, hint: Remedy.install(server)))
        }
        if !host.images.opensFuse {
            faults.append(
                Diagnostic(
                    "mount.source: an image needs /dev/fuse, which this user cannot open", at: mount.position,
                    hint: Remedy.openFuse))
        }
    }

    /// What reads an image believes it, and reads it again as it goes on: the jail must not write it.
    private mutating func refuseWritable(_ mount: Mount, _ path: String) {
        for writable in spec.filesystem.writableSources where isWithin(path, writable) {
            faults.append(
                Diagnostic(
                    "mount.source: \(path) can be written to by the jail, through \(writable)", at: mount.position,
                    hint: "mount \(writable) read-only, or keep the two apart"))
            return
        }
    }
}
