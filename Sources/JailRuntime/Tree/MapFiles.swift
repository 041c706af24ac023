import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// Idmapped mounts: files of the host that appear with other ids, mount_setattr(2).
extension Applier {
    /// Puts the attributes of a detached clone, or of an `image` that is mounted nowhere yet, in force, `idMapped` among them, and
    /// sees as whom its owner appears then.
    mutating func mapFiles(
        of clone: Int32, _ path: String, _ ids: FileIDs, _ attributes: MountAttributes, recursive: Bool,
        image: ImageFormat? = nil
    ) throws(Failure) {
        let owner = try failing { () throws(KernelError) in try status(of: clone) }
        let maps = ids.maps(owner: owner.owner, group: owner.group)
        let mapping = try UserNamespace.make(maps.users, maps.groups, proc())
        do throws(KernelError) {
            try setAttributes(of: clone, attributes, recursive: recursive, mapping: mapping.number)
        } catch {
            if let image, error.errno == .invalid {
                throw Failure(
                    telling: "idmap: \(image.rawValue) cannot be idmapped by Linux \(kernelRelease())",
                    hint: Remedy.mappableImage)
            }
            throw try reason(for: error, clone, path, attributes, mapping.number)
        }
        let found = try failing { () throws(KernelError) in try status(of: clone) }
        let promised = ids.appearance(of: (owner.owner, owner.group)).map { "\($0.user):\($0.group)" } ?? "none"
        let shown = "\(found.owner):\(found.group)"
        try hold(shown == promised, "owner of \(path)", promised, shown)
    }

    /// Puts in place of each lower an idmapped clone of it.
    mutating func mapLower(
        of source: OverlaySource, _ ids: FileIDs, in layers: inout OverlayLayers
    ) throws(Failure) {
        for index in layers.lower.indices {
            let clone = try failing { [layers] () throws(KernelError) in
                try cloneTree("", at: layers.lower[index], recursive: false)
            }
            try mapFiles(of: clone.number, source.lower[index], ids, [.idMapped], recursive: false)
            closeDescriptor(layers.lower[index])
            layers.lower[index] = clone.release()
            layers.mapped.append(layers.lower[index])
        }
    }

    /// The kernel names neither the mount nor what is wrong with it.
    private func reason(
        for error: KernelError, _ clone: Int32, _ path: String, _ attributes: MountAttributes, _ mapping: Int32
    ) throws(Failure) -> Failure {
        if error.errno == .notPermitted {
            return Failure(
                telling:
                    "idmap: \(path) or a mount below it is idmapped already, or was mounted in another user namespace",
                hint: "leave idmap out, or name the directory that it was made from")
        }
        guard error.errno == .invalid else { return Failure(error) }
        for (place, type) in try mounts(at: path) {
            do throws(KernelError) {
                let part = try cloneTree(place, recursive: false, followLast: false)
                try setAttributes(of: part.number, .idMapped, recursive: false, mapping: mapping)
            } catch {
                guard error.errno == .invalid else { continue }
                return Failure(
                    telling: "idmap: \(type) at \(place) cannot be idmapped by Linux \(kernelRelease())",
                    hint: Remedy.mappable)
            }
        }
        return Failure(error)
    }

    /// The mount that a path is on, as that path, and those below it, each with its type.
    private func mounts(at path: String) throws(Failure) -> [(place: String, type: String)] {
        let proc = try proc()
        return try failing { () throws(KernelError) in
            let place = try open(path, .path)
            let own = try mountIdentity(of: place.number)
            let text = try proc.mountinfo()
            var result: [(place: String, type: String)] = []
            for line in lines(text) {
                let words = line.split(separator: " ")
                guard words.count > 6, let dash = words.firstIndex(of: "-"), dash + 1 < words.count else { continue }
                let (place, type) = (String(words[4]), String(words[dash + 1]))
                if words[0] == "\(own)" {
                    result.insert((path, type), at: 0)
                } else if place.isBelow(path) {
                    result.append((place, type))
                }
            }
            return result
        }
    }
}

extension String {
    /// Whether this path leads below that directory, as they are written.
    fileprivate func isBelow(_ directory: String) -> Bool {
        utf8.starts(with: (directory.hasSuffix("/") ? directory : directory + "/").utf8)
    }
}
