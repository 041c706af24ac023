import JailPlan
import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// The mounts of the jail as the kernel has them, when the tree is complete and nothing else is in sight: each attached,
/// with its attributes down to the last submount, out of propagation, and none besides.
struct MountAudit {
    /// What a step has put into the tree, and so what it answers for.
    enum Extent: UInt8 {
        /// One mount, with nothing of another step's making below it.
        case mount
        /// A tree of the host: it came with mounts below it.
        case tree
        /// A copy of a directory, which shows clones of what it covers: what stands above the copy answers for those.
        case mirror
    }

    /// What is wrong with one mount of the table: the mount, and what the step that answers for it promises (nil: none does).
    struct Fault {
        let record: MountRecord
        let promise: Promise?
    }

    struct Promise {
        let step: Int
        /// What must hold on the mount, and on whatever is mounted below it and belongs to no other step.
        let attributes: UInt64
    }

    let table: MountTable
    /// For each mount of the table, what is promised of it; the step is −1 where no step has made it.
    private var steps: [Int]
    private var attributes: [UInt64]
    private var extents: [UInt8]
    /// The identities of mounts by the descriptors that lead to them; 0 for one that has not been asked for.
    private var known: [UInt64] = []
    private var hasMirrors = false
    /// A root that is covered by its mirror has no place in the table any more.
    private var hiddenRoot: Promise?

    init(_ table: MountTable) {
        self.table = table
        steps = [Int](repeating: -1, count: table.count)
        attributes = [UInt64](repeating: 0, count: table.count)
        extents = [UInt8](repeating: Extent.mount.rawValue, count: table.count)
    }

    /// Notes a promise of the mount of that identity, and returns whether it is in the table: what is not, being covered by
    /// a mirror, is not looked at.
    @discardableResult
    mutating func expect(_ promise: Promise, of identity: UInt64, _ extent: Extent) -> Bool {
        if case .mirror = extent { hasMirrors = true }
        if identity == 0, hiddenRoot == nil { hiddenRoot = promise }
        guard let place = table.index(of: identity) else { return false }
        steps[place] = promise.step
        attributes[place] = promise.attributes
        extents[place] = extent.rawValue
        return true
    }

    /// The identity of the mount that a descriptor is on; each is asked for once.
    mutating func identity(of descriptor: Int32) throws(KernelError) -> UInt64 {
        let place = Int(descriptor)
        while known.count <= place { known.append(0) }
        if known[place] == 0 { known[place] = try table.identity(at: descriptor) }
        return known[place]
    }

    /// What the step that has made a mount promises of it; nil where it belongs to no step itself.
    func promise(at place: Int) -> Promise? {
        steps[place] < 0 ? nil : Promise(step: steps[place], attributes: attributes[place])
    }

    /// The first mount that lacks what it should have, or that nobody has asked for.
    func firstFault() -> Fault? {
        for place in table.indices {
            let record = table[place]
            guard let promise = promise(for: place) else { return Fault(record: record, promise: nil) }
            let wanted = promise.attributes
            if record.propagates || record.attributes.rawValue & wanted != wanted {
                return Fault(record: record, promise: promise)
            }
        }
        return nil
    }

    /// Of the mount itself, or of the next above it that may have others below it. What hangs below a mirror is answered
    /// for by what the mirror stands in.
    private func promise(for place: Int) -> Promise? {
        if let own = promise(at: place) { return own }
        var above = place
        // No tree of mounts is deeper than there are mounts.
        for _ in table.indices {
            guard let next = table.index(of: table[above].parent), next != above else { break }
            above = next
            guard let promise = promise(at: above), extents[above] != Extent.mirror.rawValue else { continue }
            return extents[above] == Extent.tree.rawValue || hasMirrors ? promise : nil
        }
        return hiddenRoot
    }
}

extension Applier {
    mutating func checkTree(_ plan: Plan) throws(Failure) {
        var audit = MountAudit(try mountTable())
        for index in plan.steps.indices {
            switch plan.steps[index].operation {
            case .tree(.fill(let slot, let filling, let promise)):
                try expect(slot, filling, promise, at: index, in: &audit)
            case .tree(.makeSymlink(let target, let to)):
                // The default ones protect nothing, and a program that misses one says so.
                if plan.steps[index].origin != nil || shown != nil { try checkLink(target, to, at: index) }
            default: continue
            }
        }
        for cover in tree.covers + tree.pins {
            let promise = MountAudit.Promise(step: cover.step, attributes: cover.attributes.rawValue)
            if try !note(promise, of: cover.mount, .tree, in: &audit) {
                try look(for: cover.mount, on: cover.target, promise, .tree, in: &audit)
            }
        }
        let sealed = (MountAttributes.readOnly | .closed).rawValue
        for copy in tree.copies {
            let promise = MountAudit.Promise(step: step, attributes: sealed | copy.attributes.rawValue)
            _ = try note(promise, of: copy.mount, .mirror, in: &audit)
        }
        try checkPlaces(&audit, plan)
        try judge(audit, plan)
        try checkRoot(audit.table, plan)
        try checkProcOptions(plan)
    }

    /// Notes what is promised of the mount of a slot.
    private mutating func expect(
        _ slot: Int, _ filling: Filling, _ promise: SlotPromise, at index: Int, in audit: inout MountAudit
    ) throws(Failure) {
        // A missing optional source has left no mount.
        guard slots[slot] >= 0 else { return }
        let extent: MountAudit.Extent = if case .tree = filling { .tree } else { .mount }
        let expected = MountAudit.Promise(step: index, attributes: promise.held.rawValue)
        if try !note(expected, of: slots[slot], extent, in: &audit) {
            try look(for: slots[slot], on: promise.target, expected, extent, in: &audit)
        }
    }

    /// Notes a promise of the mount of a descriptor; false where that is not in the table, being not attached or covered by
    /// a mirror.
    private func note(
        _ promise: MountAudit.Promise, of descriptor: Int32, _ extent: MountAudit.Extent, in audit: inout MountAudit
    ) throws(Failure) -> Bool {
        let identity = try failing { () throws(KernelError) in try audit.identity(of: descriptor) }
        return audit.expect(promise, of: identity, extent)
    }

    /// Where a mirror has taken the mount of a descriptor out of sight: notes the promise of the clone that its target leads
    /// to; where the mirror itself stands there, of a number that no mount has, 0 for the root.
    private mutating func look(
        for descriptor: Int32, on target: String, _ promise: MountAudit.Promise, _ extent: MountAudit.Extent,
        in audit: inout MountAudit
    ) throws(Failure) {
        let table = audit.table
        let (step, attributes) = (promise.step, promise.attributes)
        try hold(!tree.copies.isEmpty, at: step, "mount \(target)", "attached", "not in the tree of the jail")
        let (isClone, isMirror, seen) = try view(of: descriptor, at: target, in: table)
        if isClone {
            audit.expect(promise, of: seen, extent)
            return
        }
        try hold(isMirror, at: step, "mount \(target)", "attached", "something else is there")
        // What holds on it holds on every clone that the mirror shows.
        let held = try failing { () throws(KernelError) in try heldAttributes(of: descriptor) }.rawValue
        try hold(
            held & attributes == attributes, at: step, "mount \(target)", attributeWords(attributes),
            attributeWords(held))
        audit.expect(promise, of: target == "/" ? 0 : .max, extent)
    }

    /// What of a descriptor's file the target shows, a clone of it or a mirror, and on which mount.
    func view(
        of descriptor: Int32, at target: String, in table: MountTable
    ) throws(Failure) -> (isClone: Bool, isMirror: Bool, seen: UInt64) {
        let copies = tree.copies
        return try failing { () throws(KernelError) in
            let there = try open(target, .path)
            let (found, seen) = (try status(of: there.number), try table.identity(at: there.number))
            let wanted = try status(of: descriptor)
            // A mirror that stands in another is seen as a clone: it is known by its directory. The last may be a copy
            // of one before it, and the first is one of what the step has attached, or of what it should have covered.
            var shown = found
            for copy in copies.reversed() where try status(of: copy.mount).isSame(as: shown) { shown = copy.original }
            return (found.isSame(as: wanted), shown.isSame(as: wanted), seen)
        }
    }

    private mutating func judge(_ audit: MountAudit, _ plan: Plan) throws(Failure) {
        if shown != nil {
            for place in audit.table.indices {
                guard let promise = audit.promise(at: place) else { continue }
                let record = audit.table[place]
                shown?.append(
                    Shown(
                        step: promise.step, what: plan.title(of: promise.step),
                        promised: attributeWords(promise.attributes) + "private",
                        found: attributeWords(record.attributes.rawValue) + (record.propagates ? "shared" : "private")))
            }
        }
        guard let fault = audit.firstFault() else { return }
        let found = attributeWords(fault.record.attributes.rawValue) + (fault.record.propagates ? "shared" : "private")
        guard let promise = fault.promise else {
            return try hold(false, "mounts", "none besides those of the plan", "\(place(of: fault.record)): \(found)")
        }
        let promised = attributeWords(promise.attributes) + "private"
        try hold(false, at: promise.step, "mount \(place(of: fault.record))", promised, found)
    }

    /// `/` is the mount that was built; nothing stands above it, `switchRoot` has seen to that.
    private mutating func checkRoot(_ table: MountTable, _ plan: Plan) throws(Failure) {
        let mount = tree.root
        let (root, wanted) = try failing { () throws(KernelError) in
            (try table.identity(of: "/"), try table.identity(at: mount))
        }
        try hold(root == wanted, "root", "mount \(wanted)", "mount \(root), \(table.count) mounts")
    }

    private mutating func checkLink(_ target: String, _ to: String, at place: Int) throws(Failure) {
        let found: String
        do throws(KernelError) {
            found = try readLink(target)
        } catch {
            found = error.errno.name
        }
        try hold(found == to, at: place, "link \(target)", to, found)
    }

    /// What a procfs of processes that are not the jail's own hides of them: no call tells but the text.
    private mutating func checkProcOptions(_ plan: Plan) throws(Failure) {
        for index in plan.steps.indices {
            guard case .tree(.fill(_, .fileSystem(let fileSystem), let promise)) = plan.steps[index].operation,
                fileSystem.type == "proc", !fileSystem.parameters.isEmpty
            else { continue }
            let target = promise.target
            let proc = try proc()
            let text = try failing(proc.mountinfo)
            let line = lines(text).last { words(Array($0.utf8)).dropFirst(4).first == target } ?? ""
            for parameter in fileSystem.parameters {
                let wanted = parameter.value.map { "\(parameter.key)=\($0)" } ?? parameter.key
                try hold(
                    line.split { $0 == " " || $0 == "," }.contains { $0 == wanted }, at: index, "proc on \(target)",
                    wanted, line.isEmpty ? "nothing there" : line)
            }
        }
    }
}

/// Where a mount stands, only for words.
private func place(of record: MountRecord) -> String {
    do throws(KernelError) {
        let file = try open("/proc/self/mountinfo", .read)
        for line in lines(try readAll(file.number, limit: 1 << 26)) {
            let found = words(Array(line.utf8))
            guard found.count > 4 else { continue }
            if mountRecord(of: found[4])?.identity == record.identity || found[0] == "\(record.identity)" {
                return found[4]
            }
        }
    } catch {
        return "of number \(record.identity)"
    }
    return "of number \(record.identity)"
}

private func attributeWords(_ bits: UInt64) -> String {
    MountAttributes(rawValue: bits).words.map { $0 + "," }.joined()
}
