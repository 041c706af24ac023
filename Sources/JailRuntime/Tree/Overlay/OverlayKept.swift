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
        layers.upper = try openOrMake(upper, "upper", like: layers.lower[0], of: plan)
        layers.work = try openOrMake(work, "work", like: nil, of: plan)
        for (number, key) in [(layers.upper, "upper"), (layers.work, "work")] { try requireDisk(number, key) }
        let isFree = try failing { [layers] () throws(KernelError) in try takeLock(layers.work) }
        guard isFree else { throw busy(layers.work) }
        try hold(layers.work, isShown: false, of: plan)
        if let limit = source.limit {
            try limitStorage(limit, in: [(layers.upper, upper), (layers.work, work)], of: plan)
        }
        try refuseNested(layers)
        try requireRename(layers)
        if source.isRecorded { try refuseReachable(layers, plan) }
        try hideInLower(&layers)
        if source.isRecorded { try writeRecord(layers, source, plan) }
    }

    private mutating func openOrMake(
        _ path: String, _ key: String, like original: Int32?, of plan: Plan
    ) throws(Failure) -> Int32 {
        do throws(Failure) {
            return try keptLayer(path, key, of: plan).openOrMake(like: original).release()
        } catch {
            throw error.ofLayer(path, key)
        }
    }

    private mutating func keptLayer(_ path: String, _ key: String, of plan: Plan) -> KeptLayer {
        KeptLayer(
            key: key, path: path, rule: rule(of: plan), isRoot: isRoot,
            maps: plan.creation.map { step > $0 } == true ? plan.maps : nil)
    }

    /// Looks whether both are there, or could be made, and makes nothing.
    mutating func lookAtKept(_ upper: String, _ work: String, _ source: OverlaySource, of plan: Plan) throws(Failure) {
        for (path, key) in [(upper, "upper"), (work, "work")] {
            do throws(Failure) {
                guard let layer = try keptLayer(path, key, of: plan).openOrFindPlace() else { continue }
                try requireDisk(layer.number, key)
                if source.limit != nil { try requireQuotas(layer.number, path) }
            } catch {
                throw error.ofLayer(path, key)
            }
        }
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
        let (upper, work) = (try place(of: layers.upper), try place(of: layers.work))
        if upper == work { throw nested("work is the same directory as upper") }
        if isBelow(work, upper) { throw nested("work is inside upper") }
        if isBelow(upper, work) { throw nested("upper is inside work") }
        for lower in layers.lower {
            let path = try place(of: lower)
            for (layer, key) in [(upper, "upper"), (work, "work")] where path != layer && isBelow(path, layer) {
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
            throw Failure(
                telling:
                    "upper: nothing can be moved to it from work: they are on two file systems, two mounts, or one of "
                    + "them is a btrfs subvolume", hint: "make both in one directory: mkdir changes changes.work")
        }
    }

    /// What the jail could write past the overlay; the planner has compared the names, here it is where they lead.
    private func refuseReachable(_ layers: OverlayLayers, _ plan: Plan) throws(Failure) {
        let kept = try [layers.upper, layers.work].map { number throws(Failure) in try place(of: number) }
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
        for lower in layers.lower {
            let above = try place(of: lower)
            for number in [layers.upper, layers.work] {
                let path = try place(of: number)
                guard path != above, isBelow(path, above) else { continue }
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
    private func writeRecord(_ layers: OverlayLayers, _ source: OverlaySource, _ plan: Plan) throws(Failure) {
        var record = try OverlayRecord(layers, source, plan, process: try hostProcess())
        var isEmpty = try failing { () throws(KernelError) in try entryNames(of: layers.upper).isEmpty }
        if isEmpty, let before = Self.readable(in: layers.work)?.roots, let now = record.roots {
            isEmpty = now.upper.parts(otherThan: before.upper).isEmpty  // what its root is may be a change as well
        }
        if !isEmpty, let earlier = try OverlayRecord.read(in: layers.work) {
            try earlier.require(layers.upper)
            if earlier.isEmptying {
                throw Failure(
                    telling: "these changes were being thrown away, or are all in the original, and some are left",
                    hint: "finish it: immure discard SPEC")
            }
            if earlier.isApplying {
                throw Failure(
                    telling: "an apply of these changes was not finished", hint: "finish it: immure apply SPEC")
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
            // A change is one of the original's since the first launch that is still in the upper.
            (record.start, record.roots) = (earlier.start, earlier.roots)
        } else if !isEmpty {
            throw Failure(
                telling: "upper is not empty, and work has no immure.json that says what it changes",
                hint: "empty it, or name another directory, which immure makes")
        }
        try record.begin(in: layers.work)
    }

    /// The record of a launch; nil where there is none, or it cannot be read.
    private static func readable(in work: Int32) -> OverlayRecord? {
        do throws(Failure) {
            return try OverlayRecord.read(in: work)
        } catch {
            return nil
        }
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
