import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// A file system that a program of the host is to serve for the jail, with all that this program needs: opened by the launcher
/// before anything is joined or made.
struct ServedFiles {
    enum Kind {
        /// squashfuse(1), of an image from that byte on.
        case squashfs(file: Int32, offset: UInt64)
        /// fuse2fs(1), of such an image; `mounter` is this program's own file, `room` the size of a file that takes changes.
        case ext4(ImageFile, mounter: Int32, room: UInt64?)
        /// fuse-overlayfs(1), of these directories, the uppermost first, and a tmpfs of that size.
        case overlay(lower: [Int32], bytes: UInt64, inodes: UInt64?, owner: ServedOwner)
    }

    let slot: Int
    let kind: Kind
    let program: HostProgram

    var descriptors: [Int32] {
        switch kind {
        case .squashfs(let file, _): [file, program.descriptor]
        case .ext4(let image, let mounter, _): [image.file, mounter, program.descriptor]
        case .overlay(let lower, _, _, _): lower + [program.descriptor]
        }
    }

    /// Those that nobody needs once the program has been started: the file of an ext4 has the lock.
    var spent: [Int32] {
        if case .ext4(let image, _, _) = kind { descriptors.filter { $0 != image.file } } else { descriptors }
    }

    /// The image that the program writes to.
    var written: ImageFile? { if case .ext4(let image, _, _?) = kind { image } else { nil } }

    private var isReadOnly: Bool {
        switch kind {
        case .squashfs: true
        case .ext4: written == nil
        case .overlay: false
        }
    }

    /// The options of its mount, before those that are the same for all.
    fileprivate func describe(to context: borrowing FileSystemContext) throws(KernelError) {
        if case .overlay = kind { try context.set("source", "overlay") } else { try context.set("source", "image") }
        if isReadOnly { try context.set("ro", nil) }
    }
}

extension Applier {
    mutating func openServed(_ slot: Int, _ source: ImageSource, of plan: Plan) throws(Failure) {
        guard let image = try openImage(source, of: plan), let server = image.format.server else { return }
        if image.format == .ext4 { try takeTurn(image.file, source) }
        let program = try HostProgram.find(server, call: .execve)
        let kind: ServedFiles.Kind =
            if image.format == .ext4 {
                .ext4(
                    ImageFile(file: image.file, offset: source.offset, path: source.path),
                    mounter: try failing { () throws(KernelError) in try open(FuseMounter.program, .path).release() },
                    room: source.room)
            } else {
                .squashfs(file: image.file, offset: source.offset)
            }
        served.append(ServedFiles(slot: slot, kind: kind, program: program))
    }

    mutating func openServed(_ slot: Int, _ source: OverlaySource, of plan: Plan) throws(Failure) {
        guard let owner = source.owner, case .thrownAway(let bytes, let inodes) = source.changes else { return }
        var layers = OverlayLayers()
        let isThere = try layers.openLower(of: source, isRoot: plan.isRoot(slot)) { (path) throws(Failure) in
            try reach(path, of: plan)
        }
        guard isThere else { return layers.close() }
        try refuseSubmounts(below: layers.lower, of: source)
        let program = try HostProgram.find(OverlaySource.server, call: .execve)
        served.append(
            ServedFiles(
                slot: slot, kind: .overlay(lower: layers.lower, bytes: bytes, inodes: inodes, owner: owner),
                program: program))
    }

    /// Mounts a FUSE file system, and sends its channel to the launcher, which starts the server: that of the slot is open, or what
    /// it is to show was optional and is missing (−1).
    ///
    /// The channel must have been opened in the user namespace that the mount belongs to (EINVAL otherwise). Of the server's side
    /// nothing stays here: with the server its last holder ends, and who waits for it is told so (ENOTCONN). The launcher holds
    /// the mount as well: a server ends where nobody has its file system any more, which would be seen before the jail's end.
    mutating func mountForServer(_ slot: Int, _ attributes: MountAttributes, of plan: Plan) throws(Failure) -> Int32 {
        guard let files = served.first(where: { $0.slot == slot }) else { return -1 }
        let mount = try failing { () throws(KernelError) -> Int32 in
            let fuse = try open("/dev/fuse", .readWrite)
            let context = try FileSystemContext("fuse")
            try files.describe(to: context)
            try context.set("subtype", files.program.name)
            try context.set("fd", "\(fuse.number)")
            try context.set("rootmode", "40000")
            // Whoever that is: with the last two the modes of the files decide, for all.
            try context.set("user_id", "\(plan.maps?.users.first?.inside ?? 0)")
            try context.set("group_id", "\(plan.maps?.groups.first?.inside ?? 0)")
            try context.set("default_permissions", nil)
            try context.set("allow_other", nil)
            let mount = try context.mount(attributes)
            try send(Message.mounted(slot: slot).bytes, over: channel, passing: fuse.number)
            return mount.release()
        }
        try hold(mount, isShown: false, of: plan)
        return mount
    }
}

extension ServedFiles {
    /// With which words the program is started, and in what room; `fuse` is the channel that the kernel asks it by.
    fileprivate func order(_ fuse: Int32) -> HelperOrder {
        var room = HelperRoom()
        var variables: [String] = []
        let words: [String]
        switch kind {
        case .squashfs(let file, let offset):
            room.shown = [HelperRoom.Place(descriptor: file, name: "image")]
            words = ["ro,offset=\(offset)", "/image", "/dev/fd/\(fuse)"]
        case .ext4(let image, let mounter, let most):
            room.shown = [HelperRoom.Place(descriptor: image.file, name: "image", isWritable: most != nil)]
            room.mounter = mounter
            variables = ["\(FuseMounter.variable)=\(fuse)"]
            // The kernel judges by the modes of the files, for the jail's users; fuse2fs would once more, for those of its room.
            words = [
                (most == nil ? "ro," : "") + "fakeroot,auto_unmount,offset=\(image.offset)", "/image",
                "/" + HelperRoom.mountPoint,
            ]
        case .overlay(let lower, let bytes, let inodes, let owner):
            // The program parts the names at colons and commas, and follows links: those of the room have none.
            room.shown = lower.enumerated().map { HelperRoom.Place(descriptor: $1, name: "lower\($0)") }
            room.changes = HelperRoom.Changes(bytes: bytes, inodes: inodes)
            let below = room.shown.map { "/" + $0.name }.joined(separator: ":")
            // With a write-back cache a full file system would be told as late as close(2).
            words = [
                "lowerdir=\(below),upperdir=/\(HelperRoom.Changes.upper),workdir=/\(HelperRoom.Changes.work)"
                    + ",writeback=0,squash_to_uid=\(owner.user),squash_to_gid=\(owner.group)", "/dev/fd/\(fuse)",
            ]
        }
        var order = HelperOrder(program: program, arguments: [program.name, "-f", "-o"] + words)
        order.environment += variables
        if room.mounter != nil { order.environment[0] += ":/" }
        // What takes it over cannot make more of its file than there is.
        if case .ext4(_, _, let most) = kind { order.mostInFile = most }
        order.passing = [fuse]
        order.room = room
        return order
    }
}

extension Supervisor {
    /// Starts what serves the file system of that slot; `fuse` is the channel that the kernel asks it by.
    func serve(_ slot: Int, _ fuse: Int32) {
        defer { closeDescriptor(fuse) }
        guard let index = served.waiting.firstIndex(where: { $0.slot == slot }), !isOver else { return }
        let files = served.waiting.remove(at: index)
        defer { for number in files.spent { closeDescriptor(number) } }
        do throws(Failure) {
            var helper = try HelperProcess.start(files.order(fuse)) { [size = served.tableSize] in size }
            helper.step =
                plan.steps.firstIndex { if case .tree(.fill(slot, _, _)) = $0.operation { true } else { false } } ?? -1
            helper.written = files.written
            helpers.append(helper)
        } catch {
            // Nobody is left to answer: the jail is told so, and fails.
            lost = lost ?? error
        }
    }

    /// A step that failed for a server that has ended failed for whatever that said.
    func blamingHelper(for failure: Failure) throws(KernelError) -> Failure {
        guard case .kernel = failure.cause, failure.errno == .notConnected || failure.errno == .connectionAborted else {
            return failure
        }
        if let lost { return lost.at(failure.step) }
        for index in helpers.indices {
            // Its files are closed a moment before its end can be seen.
            var end = [Watch(helpers[index].descriptor)]
            try poll(&end, milliseconds: 100)
            var watches = helpers[index].watches
            try poll(&watches, milliseconds: 0)
            if try helpers[index].take(watches[...]) { return helpers[index].failure.at(failure.step) }
        }
        return failure
    }
}
