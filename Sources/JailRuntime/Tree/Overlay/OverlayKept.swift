import JailPlan
import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// The upper and work directories that outlive the jail.
extension Applier {
    /// Opens or makes both, takes the lock on work, and finds out whether they can do what overlayfs will do with them.
    mutating func openKept(
        _ upper: String, _ work: String, _ source: OverlaySource, _ layers: inout OverlayLayers, of plan: Plan
    ) throws(Failure) {
        layers.upperIsOnHost = true
        let place = keptPlace(upper, work, of: plan)
        // Not to make a work without an upper: what the upper is in is asked for first.
        try Self.told(of: upper, "upper") { () throws(Failure) in _ = try place.upper.parent.reachOrMake() }
        try Self.told(of: work, "work") { () throws(Failure) in
            layers.notes = try place.work.openOrMake(like: nil).release()
        }
        let isFree = try failing { [layers] () throws(KernelError) in try takeLock(layers.notes) }
        guard isFree else { throw busy(layers.notes) }
        try hold(layers.notes, isShown: false, of: plan)
        let found = try openUpper(place, upper, source, &layers)
        layers.work = try place.openBase(in: layers.notes, isInside: found.isInside)
        for (number, key) in [(layers.upper, "upper"), (layers.work, "work")] { try requireDisk(number, key) }
        if let limit = source.limit {
            try limitStorage(limit, in: [(layers.upper, upper), (layers.notes, work)], of: plan)
        }
        try refuseNested(layers)
        try requireRename(layers)
        if source.isRecorded { try refuseReachable(layers, plan) }
        try hideInLower(&layers)
        if source.isRecorded { try writeRecord(layers, source, plan, place, found) }
    }

    /// Where nothing is recorded, nothing is ever applied, and upper is what the caller has put there.
    private func openUpper(
        _ place: KeptPlace, _ path: String, _ source: OverlaySource, _ layers: inout OverlayLayers
    ) throws(Failure) -> KeptPlace.Found {
        var found = KeptPlace.Found(upper: -1, above: -1, isInside: false, isShut: true)
        try Self.told(of: path, "upper") { () throws(Failure) in
            if source.isRecorded {
                let record = OverlayRecord.readable(in: layers.notes)
                found = try place.findOrMake(in: layers.notes, over: layers.lower, record)
            } else {
                found.upper = try place.upper.openOrMake(like: layers.lower[0]).release()
            }
        }
        layers.upper = found.upper
        if found.isInside {
            let above = try self.place(of: found.above)
            layers.link = (above == [UInt8(ascii: "/")] ? [] : above) + Array("/\(place.upper.name)".utf8)
        }
        if found.above >= 0 { closeDescriptor(found.above) }
        return found
    }

    /// In the words for a directory of changes.
    private static func told(of path: String, _ key: String, _ body: () throws(Failure) -> Void) throws(Failure) {
        do throws(Failure) {
            try body()
        } catch {
            throw error.ofLayer(path, key)
        }
    }

    private mutating func keptPlace(_ upper: String, _ work: String, of plan: Plan) -> KeptPlace {
        KeptPlace(
            upper: upper, work: work, following: rule(of: plan), isRoot: isRoot,
            in: plan.creation.map { step > $0 } == true ? plan.maps : nil)
    }

    /// Looks whether both are there, or could be made, and may be used, and makes nothing. `lowers`: empty where they are not there.
    mutating func lookAtKept(
        _ upper: String, _ work: String, _ source: OverlaySource, over lowers: [Int32], of plan: Plan
    ) throws(Failure) {
        let place = keptPlace(upper, work, of: plan)
        var notes: Int32 = -1
        defer { if notes >= 0 { closeDescriptor(notes) } }
        try Self.told(of: work, "work") { () throws(Failure) in
            guard let layer = try place.work.openOrFindPlace() else { return }
            notes = layer.release()
            try requireDisk(notes, "work")
            if source.limit != nil { try requireQuotas(notes, work) }
        }
        if notes >= 0 {
            let isFree = try failing { () throws(KernelError) in try takeLock(notes) }
            guard isFree else { throw busy(notes) }
        }
        try Self.told(of: upper, "upper") { () throws(Failure) in
            guard let layer = try place.look(in: notes) else { return }
            try requireDisk(layer.number, "upper")
            if source.limit != nil { try requireQuotas(layer.number, upper) }
        }
        guard source.isRecorded, notes >= 0, !lowers.isEmpty else { return }
        try lookAtChanges(in: notes, place, source, over: lowers, of: plan)
    }

    /// Whether what is kept in an upper that is there is taken up by a launch.
    private mutating func lookAtChanges(
        in notes: Int32, _ place: KeptPlace, _ source: OverlaySource, over lowers: [Int32], of plan: Plan
    ) throws(Failure) {
        let found: KeptPlace.Found
        do throws(Failure) {
            found = try place.find(in: notes)
        } catch {
            // A launch makes it.
            guard case .kernel = error.cause, error.errno == .noEntry else { throw error }
            return
        }
        defer {
            closeDescriptor(found.upper)
            closeDescriptor(found.above)
        }
        let isEmpty = try failing { () throws(KernelError) in try entryNames(of: found.upper).isEmpty }
        // Whose its root is looks different in the jail's user namespace.
        if isEmpty { return }
        var layers = OverlayLayers()
        (layers.lower, layers.upper, layers.notes) = (lowers, found.upper, notes)
        try refuseReachable(layers, plan)
        var record = try OverlayRecord(layers, source, plan, process: 0)
        try requireSame(&record, layers, place, found)
    }

    private func requireDisk(_ number: Int32, _ key: String) throws(Failure) {
        let magic = try failing { () throws(KernelError) in try fileSystemMagic(of: number) }
        let kind =
            switch magic {
            case FileSystemMagic.overlay: "overlay"
            case FileSystemMagic.fuse: "fuse"
            case FileSystemMagic.nfs: "nfs"
            default: ""
            }
        if kind.isEmpty { return }
        throw Failure(
            telling: "\(key): it is on \(kind), which cannot hold the changes of an overlay",
            hint: "leave upper and work out to throw changes away, or name a disk, in a container a volume"
        )
    }

    private func busy(_ work: Int32) -> Failure {
        var holder = "another process"
        do throws(Failure) {
            if let record = try OverlayRecord.read(in: work) {
                holder = "process \(record.process) (since \(clock(record.launched)))"
            }
        } catch {
            holder = "another process"  // the record is being written
        }
        return Failure(
            telling: "work: in use by \(holder)",
            hint: "wait until it has ended, or give this jail upper and work of its own")
    }

    /// The spec's names were compared when it was read, here it is where they lead.
    private func refuseNested(_ layers: OverlayLayers) throws(Failure) {
        let (upper, work, notes) = (
            try place(of: layers.upper), try place(of: layers.work), try place(of: layers.notes)
        )
        if upper == work { throw nested("work is the same directory as upper") }
        if isBelow(work, upper) { throw nested("work is inside upper") }
        if isBelow(upper, work) { throw nested("upper is inside work") }
        for lower in layers.lower {
            let path = try place(of: lower)
            for (layer, key) in [(upper, "upper"), (notes, "work")] where path != layer && isBelow(path, layer) {
                throw nested("a lower is inside \(key)")
            }
        }
    }

    /// overlayfs moves what it has prepared from work to upper; where that cannot be, every write would fail.
    private func requireRename(_ layers: OverlayLayers) throws(Failure) {
        let name: EntryName = ".immure"
        do throws(KernelError) {
            if try entryStatus(name, at: layers.work) == nil {
                _ = try openEntry(name, at: layers.work, .write | .create | .exclusive, permissions: 0o600)
            }
            try moveEntry(name, at: layers.work, to: name, at: layers.upper)
            try removeEntry(name, at: layers.upper, directory: false)
        } catch {
            guard error.errno == .crossesDevice else { throw Failure(error) }
            throw OverlayLayers.areApart
        }
    }

    /// What the jail could write past the overlay; the planner has compared the names, here it is where they lead.
    private func refuseReachable(_ layers: OverlayLayers, _ plan: Plan) throws(Failure) {
        let kept = try [layers.upper, layers.notes].map { number throws(Failure) in try place(of: number) }
        for other in plan.steps {
            guard case .tree(.fill(_, .tree(let tree), let promise)) = other.operation,
                !promise.held.hasAll(of: .readOnly)
            else { continue }
            let path: [UInt8]
            do throws(KernelError) {
                let opened = try open(tree.path, .path)
                path = try linkTarget(procLink(opened.number), at: currentDirectory)
            } catch {
                continue  // the step that opens it says why
            }
            for layer in kept where isBelow(layer, path) || isBelow(path, layer) {
                throw Failure(
                    telling: "\(String(decoding: layer, as: UTF8.self)) can be written to past the overlay, through "
                        + "\(promise.target)", hint: "mount \(tree.path) read-only, or keep the two apart")
            }
        }
    }

    /// An upper or a work inside the lower would be seen there, and lead nowhere (ELOOP).
    private func hideInLower(_ layers: inout OverlayLayers) throws(Failure) {
        var hidden: [[EntryName]] = []
        let notes = try place(of: layers.notes)
        let paths = [notes, layers.link.isEmpty ? try place(of: layers.upper) : layers.link]
        for lower in layers.lower {
            let above = try place(of: lower)
            for path in paths where path != above && isBelow(path, above) {
                hidden.append(
                    path.dropFirst(above.count).split(separator: UInt8(ascii: "/")).map { EntryName(Array($0)) })
            }
        }
        if !hidden.isEmpty { try layers.hide(hidden) }
    }

    private func place(of number: Int32) throws(Failure) -> [UInt8] {
        try failing { () throws(KernelError) in try linkTarget(procLink(number), at: currentDirectory) }
    }

    private func procLink(_ number: Int32) -> EntryName { EntryName(Array("/proc/self/fd/\(number)".utf8)) }

    private func isBelow(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        path == directory || directory == [UInt8(ascii: "/")] || path.starts(with: directory + [UInt8(ascii: "/")])
    }

    /// What `diff` and `apply` will need to know, and what a later launch must find the same.
    private func writeRecord(
        _ layers: OverlayLayers, _ source: OverlaySource, _ plan: Plan, _ place: KeptPlace, _ found: KeptPlace.Found
    ) throws(Failure) {
        var record = try OverlayRecord(layers, source, plan, process: try hostProcess())
        try requireSame(&record, layers, place, found)
        try record.begin(in: layers.notes)
    }

    /// Refuses changes that the launch could not go on with, and takes what stays of the record that they have.
    private func requireSame(
        _ record: inout OverlayRecord, _ layers: OverlayLayers, _ place: KeptPlace, _ found: KeptPlace.Found
    ) throws(Failure) {
        var isEmpty = try failing { () throws(KernelError) in try entryNames(of: layers.upper).isEmpty }
        if isEmpty, let before = OverlayRecord.readable(in: layers.notes)?.roots, let now = record.roots {
            isEmpty = now.upper.parts(otherThan: before.upper).isEmpty  // what its root is may be a change as well
        }
        if isEmpty { return }
        guard let earlier = try OverlayRecord.read(in: layers.notes) else {
            throw try place.isUnknown(layers.upper)
        }
        try earlier.require(layers.upper)
        if earlier.isEmptying {
            throw Failure(
                telling: "these changes were being thrown away, or are all in the original, and some are left",
                hint: "finish it: immure discard SPEC")
        }
        if earlier.isApplying {
            throw Failure(telling: "an apply of these changes was not finished", hint: "finish it: immure apply SPEC")
        }
        if earlier.attributes != record.attributes {
            throw Failure(
                telling:
                    "the changes in upper were made by \(earlier.usesUserAttributes ? "an ordinary user" : "root"), "
                    + "and what they delete would come back",
                hint: "launch as before, or throw them away: immure discard SPEC")
        }
        if earlier.lowers != record.lowers {
            throw Failure(
                telling: "the changes in upper were made over other directories than these",
                hint: "launch as before, or throw them away: immure discard SPEC")
        }
        guard found.isShut else { throw try place.isOpen(found) }
        // A change is one of the original's since the first launch that is still in the upper.
        (record.start, record.roots) = (earlier.start, earlier.roots)
        record.add(points: earlier.points)
    }

    /// The number of this process on the host.
    private func hostProcess() throws(Failure) -> Int {
        let proc = try proc()
        let name = try failing { () throws(KernelError) in try readLink("self", at: proc.descriptor) }
        return decimal(name) ?? 0
    }

    /// Hours and minutes of the wall clock, UTC.
    private func clock(_ nanoseconds: Int64) -> String {
        let minutes = nanoseconds / 60_000_000_000 % 1440
        return "\(minutes / 60 < 10 ? "0" : "")\(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60) UTC"
    }
}

extension Failure {
    /// In the words for a directory of changes, where the kernel has refused it.
    fileprivate func ofLayer(_ path: String, _ key: String) -> Failure {
        guard case .kernel = cause else { return self }
        switch errno {
        case .noEntry:
            return Failure(
                telling: "\(key): the directory that \(path) is to be made in does not exist",
                hint: "make it: mkdir -p \(shellWord(path))")
        case .notDirectory: return Failure(telling: "\(key): \(path) is not a directory", hint: nil)
        default: return Failure(KernelError(call, errno, path: path))
        }
    }
}
