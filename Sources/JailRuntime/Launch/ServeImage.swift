import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// An image that a program of the host is to read for the jail, with all that this program needs: opened by the launcher before
/// anything is joined or made.
struct ServedImage {
    let slot: Int
    let offset: UInt64
    let file: Int32
    let program: HostProgram

    var descriptors: [Int32] { [file, program.descriptor] }
}

extension Applier {
    mutating func openServed(_ slot: Int, _ source: ImageSource, of plan: Plan) throws(Failure) {
        guard let image = try openImage(source, of: plan), let server = image.format.server else { return }
        let program = try HostProgram.find(server, call: .execve)
        images.append(ServedImage(slot: slot, offset: source.offset, file: image.file, program: program))
    }

    /// Mounts a FUSE file system, and sends its channel to the launcher, which starts the server.
    ///
    /// The channel must have been opened in the user namespace that the mount belongs to (EINVAL otherwise). Of the server's side
    /// nothing stays here: with the server its last holder ends, and who waits for it is told so (ENOTCONN). The launcher holds
    /// the mount as well: a server ends where nobody has its file system any more, which would be seen before the jail's end.
    mutating func mountForServer(_ slot: Int, _ attributes: MountAttributes, of plan: Plan) throws(Failure) -> Int32 {
        let mount = try failing { () throws(KernelError) -> Int32 in
            let fuse = try open("/dev/fuse", .readWrite)
            let context = try FileSystemContext("fuse")
            try context.set("source", "image")
            try context.set("subtype", "squashfuse")
            try context.set("fd", "\(fuse.number)")
            try context.set("rootmode", "40000")
            // Whoever that is: with the last two the modes of the files decide, for all.
            try context.set("user_id", "\(plan.maps?.users.first?.inside ?? 0)")
            try context.set("group_id", "\(plan.maps?.groups.first?.inside ?? 0)")
            try context.set("default_permissions", nil)
            try context.set("allow_other", nil)
            try context.set("ro", nil)
            let mount = try context.mount(attributes)
            try send(Message.mounted(slot: slot).bytes, over: channel, passing: fuse.number)
            return mount.release()
        }
        try hold(mount, isShown: false, of: plan)
        return mount
    }
}

extension Supervisor {
    /// Starts what reads the image of that slot; `fuse` is the channel that the kernel asks it by.
    mutating func serveImage(_ slot: Int, _ fuse: Int32) {
        defer { closeDescriptor(fuse) }
        guard let index = images.waiting.firstIndex(where: { $0.slot == slot }), !isOver else { return }
        let image = images.waiting.remove(at: index)
        defer { for number in image.descriptors { closeDescriptor(number) } }
        let name = image.program.name
        var order = HelperOrder(
            program: image.program,
            arguments: [
                name, "-f", "-o", "ro,offset=\(image.offset)", "/image", "/dev/fd/\(fuse)",
            ])
        order.passing = [fuse]
        order.room = HelperRoom(shown: [HelperRoom.Place(descriptor: image.file, name: "image")])
        do throws(Failure) {
            var helper = try HelperProcess.start(order) { [size = images.tableSize] in size }
            helper.step =
                plan.steps.firstIndex { if case .fill(slot, _, _) = $0.operation { true } else { false } } ?? -1
            helpers.append(helper)
        } catch {
            // Nobody is left to answer: the jail is told so, and fails.
            lost = lost ?? error
        }
    }

    /// A step that failed for a server that has ended failed for whatever that said.
    mutating func blamingHelper(for failure: Failure) throws(KernelError) -> Failure {
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
