import JailPlan
import Kernel
import LinuxFacts

/// What stands below a mount that the jail may write in: no link leads to it, and it keeps its name.
extension Tree {
    /// Mounts a directory on itself; where it is missing it is made or, if nothing will be put below it, passed over.
    mutating func pin(_ target: String, _ attributes: MountAttributes, makes: Bool, for step: Int) throws(Failure) {
        if let place = try guardedPlace(target) {
            return try pin(target, place, attributes, step)
        }
        guard makes else { return }
        let made = try mountPoint(target, directory: true)
        try pin(target, made, attributes, step)
    }

    private mutating func pin(
        _ target: String, _ place: borrowing Descriptor, _ attributes: MountAttributes, _ step: Int
    ) throws(Failure) {
        known.cover(target)
        try failing { () throws(KernelError) in
            guard try status(of: place.number).isDirectory else {
                throw KernelError(.moveMount, .notDirectory, path: target)
            }
            // With what is mounted below it: none of that is the jail's own yet.
            let clone = try cloneTree("", at: place.number, recursive: true)
            try Kernel.attach(clone.number, on: place.number)
            pins.append(Cover(clone.release(), on: target, attributes, for: step))
        }
    }

    /// Makes a file that the spec was read from read-only in its place.
    mutating func protect(_ target: String, _ file: GuardedFile, for step: Int) throws(Failure) {
        guard let place = try guardedPlace(target) else { throw Failure(.specReplaced, text: file.path) }
        let found = try failing { () throws(KernelError) in try status(of: place.number).identity }
        guard found == FileIdentity(device: file.device, inode: file.inode) else {
            throw Failure(.specReplaced, text: file.path)
        }
        known.cover(target)
        let attributes: MountAttributes = .readOnly | .closed
        try failing { () throws(KernelError) in
            let clone = try cloneTree("", at: place.number, recursive: false)
            try setAttributes(of: clone.number, attributes, recursive: false)
            try Kernel.attach(clone.number, on: place.number)
            pins.append(Cover(clone.release(), on: target, attributes, for: step))
        }
    }

    func isGuarded(_ target: String) -> Bool {
        var (low, high) = (0, guarded.count)
        while low < high {
            let middle = (low + high) / 2
            if guarded[middle] < target { low = middle + 1 } else { high = middle }
        }
        return low < guarded.count && guarded[low] == target
    }

    /// Opens (`O_PATH`) what stands at a guarded target, which no link may lead to; nil where nothing does, or the target is
    /// not guarded.
    mutating func guardedPlace(_ target: String) throws(Failure) -> Descriptor? {
        guard isGuarded(target), let (parent, name) = place(of: target) else { return nil }
        let number: Int32
        let found: FileStatus
        do throws(KernelError) {
            let opened = try open(name, at: parent, .path | .noFollow)
            found = try status(of: opened.number)
            number = opened.release()
        } catch {
            guard error.errno == .noEntry else { throw Failure(KernelError(error.call, error.errno, path: target)) }
            return nil
        }
        guard found.isSymlink else { return Descriptor(owning: number) }
        closeDescriptor(number)
        throw Failure(
            .linkBelowWritable,
            text: "\(target) is a symbolic link below what the jail may write, and may be its own work")
    }
}

extension Applier {
    mutating func hide(_ target: String, _ plan: Plan) throws(Failure) {
        guard try !tree.cover(target, for: step) else { return }
        if plan.requires(target) { throw Failure(.hiddenMissing, text: target) }
        try reportSkipped(plan)
    }

    /// Hands the launcher what must stay, and how it hears of what does not.
    func reportCovers(_ plan: Plan) throws(Failure) {
        guard !plan.guarded.isEmpty, channel >= 0 else { return }
        var covers: [(step: Int, mount: UInt32)] = []
        for cover in tree.covers + tree.pins where tree.isGuarded(cover.target) {
            covers.append((cover.step, try number(of: cover.mount)))
        }
        for step in plan.steps.indices {
            guard case .tree(.attach(let slot, let target, _)) = plan.steps[step].operation, slots[slot] >= 0,
                tree.isGuarded(target)
            else { continue }
            covers.append((step, try number(of: slots[slot])))
        }
        guard !covers.isEmpty else { return }
        let proc = try proc()
        try failing { () throws(KernelError) in
            let table = try open("self/mountinfo", at: proc.descriptor, .read)
            while covers.count > Message.coverLimit {
                try send(Message.covers(Array(covers.suffix(Message.coverLimit))).bytes, over: channel)
                covers.removeLast(Message.coverLimit)
            }
            try send(Message.covers(covers).bytes, over: channel, passing: table.number)
        }
    }

    private func number(of mount: Int32) throws(Failure) -> UInt32 {
        UInt32(truncatingIfNeeded: try failing { () throws(KernelError) in try mountIdentity(of: mount) })
    }
}
