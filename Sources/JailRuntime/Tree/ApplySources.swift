import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// Where mounts come from: trees and devices of the host, new file systems, private files.
extension Applier {
    /// Fills a slot, and puts in force what is promised of its mount.
    mutating func fill(
        _ slot: Int, _ filling: Filling, _ promise: SlotPromise, of plan: Plan
    ) throws(Failure) {
        let attributes = promise.attributes
        slots[slot] =
            switch filling {
            case .tree(let source): try openTree(source, of: plan, attributes, isRoot: promise.isRoot)
            case .device(let name, let major, let minor): try openDevice(name, major, minor, attributes)
            case .fileSystem(let fileSystem): try makeFileSystem(fileSystem, attributes)
            case .overlay(let source): try makeOverlay(slot, source, promise, of: plan)
            case .image(let source): try mountImage(slot, source, attributes, of: plan)
            case .file(let content, let mode): try makeFile("file\(slot)", Array(content.utf8), mode, attributes)
            case .passedFile(let number, let mode):
                try makeFile(
                    "file\(slot)", failing { () throws(KernelError) in try readAll(number, limit: 1 << 28) }, mode,
                    attributes)
            case .noticeSocket(let fileSystem): try makeNoticeSocket(fileSystem, attributes, of: plan)
            case .credentials(let fileSystem): try makeCredentials(fileSystem, attributes)
            }
        if slots[slot] < 0 { try reportSkipped(plan) }
    }

    /// −1 where an optional source is missing.
    private mutating func openTree(
        _ source: TreeSource, of plan: Plan, _ attributes: MountAttributes, isRoot: Bool
    ) throws(Failure) -> Int32 {
        do throws(Failure) {
            let clone = try cloneSource(source, of: plan)
            if isRoot, source.isWritten { try requireRoot(clone.number) }
            if let device = source.device { try requireDevice(clone.number, device, source.path) }
            if let limit = source.limit { try limitStorage(limit, of: source, clone.number, of: plan) }
            if let fileIDs = source.fileIDs {
                try mapFiles(of: clone.number, source.path, fileIDs, attributes, recursive: source.recursive)
            } else {
                try failing { () throws(KernelError) in
                    try setAttributes(of: clone.number, attributes, recursive: source.recursive)
                }
            }
            return clone.release()
        } catch {
            guard case .kernel = error.cause, error.errno == .noEntry, source.optional else { throw error }
            return -1
        }
    }

    /// Before anything is to stand in it, where nobody could say which file it is.
    func requireRoot(_ place: Int32) throws(Failure) {
        let found = try failing { () throws(KernelError) in try status(of: place) }
        guard !found.isDirectory else { return }
        throw Failure(
            telling: "it is \(found.isRegular ? "a file" : "neither a directory nor a file")", hint: Remedy.nameRoot)
    }

    private mutating func cloneSource(_ source: TreeSource, of plan: Plan) throws(Failure) -> Descriptor {
        guard source.isWritten else {
            return try failing { () throws(KernelError) in try cloneTree(source.path, recursive: source.recursive) }
        }
        let place = try reach(source.path, of: plan)
        if let number = source.descriptor { try requireSame(place, as: number, source.path) }
        return try failing { () throws(KernelError) in
            try cloneTree("", at: place.number, recursive: source.recursive)
        }
    }

    /// What the caller's descriptor leads to is still there by its name: a mount is cloned only from the namespace of who does it,
    /// and a descriptor is of the caller's.
    private func requireSame(_ place: borrowing Descriptor, as number: Int32, _ path: String) throws(Failure) {
        let number = (found: place.number, given: number)
        let isSame = try failing { () throws(KernelError) in
            try status(of: number.found).isSame(as: status(of: number.given))
        }
        guard isSame else {
            throw Failure(telling: "\(path), where descriptor \(number.given) leads, is another file by now", hint: nil)
        }
    }

    /// The clone holds on to what is there: what is put there later is not mounted.
    func requireDevice(_ clone: Int32, _ claim: DeviceClaim, _ path: String) throws(Failure) {
        let found = try failing { () throws(KernelError) in try status(of: clone) }
        let holds =
            switch claim {
            case .any: found.isDevice
            case .character(let major, let minor): found.isCharacterDevice && found.device == (major, minor)
            case .block(let major, let minor): found.isBlockDevice && found.device == (major, minor)
            }
        guard holds else { throw Failure(telling: "\(path) is not \(claim.words)", hint: nil) }
    }

    /// The node is proven by its numbers, not by its name.
    private func openDevice(
        _ name: String, _ major: UInt32, _ minor: UInt32, _ attributes: MountAttributes
    ) throws(Failure) -> Int32 {
        let clone = try cloneDevice("/dev/" + name, major, minor)
        try failing { () throws(KernelError) in try setAttributes(of: clone.number, attributes, recursive: false) }
        return clone.release()
    }

    /// A detached new file system.
    func makeFileSystem(_ fileSystem: FileSystem, _ attributes: MountAttributes) throws(Failure) -> Int32 {
        try failing { () throws(KernelError) in
            let context = try FileSystemContext(fileSystem.type)
            for parameter in fileSystem.parameters { try context.set(parameter.key, parameter.value) }
            return try context.mount(attributes).release()
        }
    }

    /// A file of its own on a scratch tmpfs that leaves with the old root: only an attached mount can be cloned from.
    private mutating func makeFile(
        _ name: String, _ content: [UInt8], _ mode: UInt32, _ attributes: MountAttributes
    ) throws(Failure) -> Int32 {
        let scratch = try tree.scratchDirectory()
        return try failing { () throws(KernelError) in
            let file = try open(name, at: scratch, .write | .create | .exclusive, permissions: 0o600)
            try writeAll(file.number, content, path: name)
            try setPermissions(file.number, mode)
            let clone = try cloneTree(name, at: scratch, recursive: false)
            try setAttributes(of: clone.number, attributes, recursive: false)
            return clone.release()
        }
    }
}

/// A detached copy of a device node, proven by its numbers: its name may be anybody's.
func cloneDevice(_ path: String, _ major: UInt32, _ minor: UInt32) throws(Failure) -> Descriptor {
    let clone = try failing { () throws(KernelError) in try cloneTree(path, recursive: false) }
    let found = try failing { () throws(KernelError) in try status(of: clone.number) }
    guard found.isCharacterDevice, found.device == (major, minor) else {
        throw Failure(.wrongDevice, text: path)
    }
    return clone
}
