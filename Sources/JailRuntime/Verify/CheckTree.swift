import JailPlan
import JailSpec
import Kernel
import SpecFile

/// The mounts of the jail as the kernel has them, when the tree is complete and nothing else is in sight: each attached,
/// with its attributes down to the last submount, out of propagation, and none besides.
struct MountAudit {
    /// A mount that a step has made.
    struct Known {
        let identity: UInt64
        /// What must hold on it, and on whatever is mounted below it and belongs to no other step.
        let attributes: UInt64
        let step: Int
        /// Whether it came with mounts below it: a tree of the host.
        let mayHaveOthers: Bool
        /// A copy of a directory, which shows clones of what it covers: those answer for what stands above.
        var isMirror = false
    }

    let table: MountTable
    let known: [Known]

    /// What is wrong with one mount of the table: the mount, and the one that answers for it (nil: none does).
    struct Fault {
        let record: MountRecord
        let owner: Known?
    }

    /// The first mount that lacks what it should have, or that nobody has asked for.
    func firstFault() -> Fault? {
        // By the place in the table; −1 where not known yet.
        var owners = [Int](repeating: -1, count: table.records.count)
        for number in known.indices {
            if let index = table.index(of: known[number].identity) { owners[index] = number }
        }
        for index in owners.indices {
            let record = table.records[index]
            guard let owner = owner(of: index, &owners) else { return Fault(record: record, owner: nil) }
            let one = known[owner]
            let wanted = one.attributes
            if record.propagates || record.attributes.rawValue & wanted != wanted {
                return Fault(record: record, owner: one)
            }
        }
        return nil
    }

    /// The known mount that answers for one: itself, or the next above it that may have others below it. What hangs below
    /// a mirror is answered for by what the mirror stands in.
    private func owner(of index: Int, _ owners: inout [Int]) -> Int? {
        if owners[index] >= 0 { return owners[index] }
        var above = index
        // No tree of mounts is deeper than there are mounts.
        for _ in table.records.indices {
            guard let next = table.index(of: table.records[above].parent), next != above else { break }
            above = next
            guard owners[above] >= 0 else { continue }
            let one = known[owners[above]]
            if one.isMirror { continue }
            guard one.mayHaveOthers || known.contains(where: { $0.isMirror }) else { return nil }
            owners[index] = owners[above]
            return owners[above]
        }
        // A root that is covered by its mirror has no place in the table any more.
        return known.firstIndex { $0.identity == 0 }
    }
}

extension Applier {
    mutating func checkTree(_ plan: Plan) throws(Failure) {
        let table = try mountTable()
        var known: [MountAudit.Known] = []
        known.reserveCapacity(slots.count + tree.covers.count)
        for index in plan.steps.indices {
            let (slot, attributes): (Int, Attributes)
            switch plan.steps[index].operation {
            case .openTree(let number, let source): (slot, attributes) = (number, source.attributes)
            case .openDevice(let number, _, _, _): (slot, attributes) = (number, .noSetuid | .noExecute)
            case .makeFileSystem(let number, let fileSystem): (slot, attributes) = (number, fileSystem.attributes)
            case .makeFile(let number, _, _): (slot, attributes) = (number, .readOnly | .noSetuid | .noDevices)
            case .makeNoticeSocket(let number), .makeCredentials(let number):
                (slot, attributes) = (number, .noSetuid | .noDevices | .noExecute)
            case .makeSymlink(let target, let to):
                // The default ones protect nothing, and a program that misses one says so.
                if plan.steps[index].origin != nil || shown != nil { try checkLink(target, to, at: index) }
                continue
            default: continue
            }
            // A missing optional source has left no mount.
            guard slots[slot] >= 0 else { continue }
            var wanted = MountAttributes(attributes).rawValue
            if plan.seals(slot) { wanted |= MountAttributes.readOnly.rawValue }
            let isTree = if case .openTree = plan.steps[index].operation { true } else { false }
            let identity = try find(slots[slot], on: plan.target(of: slot), wanted, index, table)
            known.append(
                MountAudit.Known(identity: identity, attributes: wanted, step: index, mayHaveOthers: isTree))
        }
        for cover in tree.covers {
            let identity = try find(cover.mount, on: cover.target, cover.attributes.rawValue, cover.step, table)
            known.append(
                MountAudit.Known(
                    identity: identity, attributes: cover.attributes.rawValue, step: cover.step, mayHaveOthers: true))
        }
        for copy in tree.copies {
            let identity = try failing { () throws(KernelError) in try table.identity(at: copy.mount) }
            let sealed = (MountAttributes.readOnly | .noSetuid | .noDevices).rawValue
            known.append(
                MountAudit.Known(
                    identity: identity, attributes: sealed, step: step, mayHaveOthers: true, isMirror: true))
        }
        try judge(MountAudit(table: table, known: known), plan)
        try checkRoot(table, plan)
        try checkProcOptions(plan)
    }

    /// The mount of a descriptor; where a mirror has taken it out of sight, the clone that its target leads to; and a number
    /// that no mount has where the mirror itself stands there: 0 for the root.
    private mutating func find(
        _ descriptor: Int32, on place: @autoclosure () -> String, _ attributes: UInt64, _ step: Int, _ table: MountTable
    ) throws(Failure) -> UInt64 {
        let identity = try failing { () throws(KernelError) in try table.identity(at: descriptor) }
        if table.index(of: identity) != nil { return identity }
        let target = place()
        try hold(!tree.copies.isEmpty, at: step, "mount \(target)", "attached", "not in the tree of the jail")
        let copies = tree.copies
        let (isClone, isMirror, seen) = try failing { () throws(KernelError) in
            let there = try open(target, .path)
            let (found, seen) = (try status(of: there.number), try table.identity(at: there.number))
            let wanted = try status(of: descriptor)
            // A mirror that stands in another is seen as a clone: it is known by its directory. The last may be a copy
            // of one before it, and the first is one of what the step has attached, or of what it should have covered.
            var shown = found
            for copy in copies.reversed() where try status(of: copy.mount).isSame(as: shown) { shown = copy.original }
            return (found.isSame(as: wanted), shown.isSame(as: wanted), seen)
        }
        if isClone { return seen }
        try hold(isMirror, at: step, "mount \(target)", "attached", "something else is there")
        // What holds on it holds on every clone that the mirror shows.
        let held = try failing { () throws(KernelError) in try heldAttributes(of: descriptor) }.rawValue
        try hold(
            held & attributes == attributes, at: step, "mount \(target)", attributeWords(attributes),
            attributeWords(held))
        return target == "/" ? 0 : .max
    }

    private mutating func judge(_ audit: MountAudit, _ plan: Plan) throws(Failure) {
        if shown != nil {
            for one in audit.known {
                guard let index = audit.table.index(of: one.identity) else { continue }
                let record = audit.table.records[index]
                shown?.append(
                    Shown(
                        step: one.step, what: plan.title(of: one.step),
                        promised: attributeWords(one.attributes) + "private",
                        found: attributeWords(record.attributes.rawValue) + (record.propagates ? "shared" : "private")))
            }
        }
        guard let fault = audit.firstFault() else { return }
        let found = attributeWords(fault.record.attributes.rawValue) + (fault.record.propagates ? "shared" : "private")
        guard let owner = fault.owner else {
            return try hold(false, "mounts", "none besides those of the plan", "\(place(of: fault.record)): \(found)")
        }
        let promised = attributeWords(owner.attributes) + "private"
        try hold(false, at: owner.step, "mount \(place(of: fault.record))", promised, found)
    }

    /// `/` is the mount that was built; nothing stands above it, `switchRoot` has seen to that.
    private mutating func checkRoot(_ table: MountTable, _ plan: Plan) throws(Failure) {
        let mount = tree.root
        let (root, wanted) = try failing { () throws(KernelError) in
            (try table.identity(of: "/"), try table.identity(at: mount))
        }
        try hold(root == wanted, "root", "mount \(wanted)", "mount \(root), \(table.records.count) mounts")
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
            guard case .makeFileSystem(let slot, let fileSystem) = plan.steps[index].operation,
                fileSystem.type == "proc", !fileSystem.parameters.isEmpty
            else { continue }
            let target = plan.target(of: slot)
            let proc = try proc()
            let text = try failing { () throws(KernelError) in
                let file = try open("self/mountinfo", at: proc.descriptor, .read)
                return try readAll(file.number, limit: 1 << 26)
            }
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

/// Where a mount stands, for words alone.
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
    Attributes(MountAttributes(rawValue: bits)).words.map { $0 + "," }.joined()
}

extension Attributes {
    /// The plan's words for the kernel's bits.
    init(_ attributes: MountAttributes) {
        var bits: UInt32 = 0
        for place in 0..<UInt32(UInt32.bitWidth) {
            let one = Attributes(rawValue: 1 << place)
            if attributes.rawValue & MountAttributes(one).rawValue != 0 { bits |= one.rawValue }
        }
        self.init(rawValue: bits)
    }
}
