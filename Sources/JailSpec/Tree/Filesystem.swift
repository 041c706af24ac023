import LinuxFacts
package import SpecFile

/// `[filesystem]` and every `[[mount]]`: what the jail sees as its tree.
package struct Filesystem: Equatable, Sendable {
    /// What becomes `/`.
    package enum Root: Equatable, Sendable {
        /// A private root with the host's `/usr` and `/etc`, read-only.
        case system
        /// The host's whole tree, read-only.
        case host
        /// Nothing but what the spec mounts.
        case empty
        /// That directory of the host, as an absolute path.
        case directory(String)
        /// The image that `mounts` has on "/".
        case image
    }

    /// How much a private tmpfs may hold.
    package enum Room: Equatable, Sendable {
        /// A quarter of the machine's memory, and no more than the jail may have.
        case quarter
        case bytes(UInt64)
        /// There is no such tmpfs.
        case none

        package var isNone: Bool { if case .none = self { true } else { false } }
    }

    /// What becomes of the changes of a root that is copied on write.
    package enum Changes: Equatable, Sendable {
        /// They are thrown away.
        case discarded
        /// They are kept in that directory of the host.
        case kept(String)
    }

    /// What stands on `/dev`.
    package enum Devices: String, CaseIterable, Equatable, Sendable {
        case none, minimal, host
    }

    package var root = Located(Root.system)
    /// Whether the root may be written to: one of the jail's own in memory, a tree of the host's in fact.
    package var writable = Located(false)
    /// Where the changes of a root go that is a tree of the host's, which itself stays as it is.
    package var changes: Located<Changes>?
    /// The overlay that a `[[mount]]` puts on `/`; the root is its uppermost lower then.
    package var rootMount: Mount?
    package var proc = Located(true)
    package var devices = Located(Devices.minimal)
    /// The private tmpfs on `/tmp`.
    package var tmp = Located(Room.quarter)
    /// The one on the command's home directory.
    package var home = Located(Room.quarter)
    /// The one on `/dev/shm`, of a minimal /dev.
    package var shm = Located(Room.quarter)
    /// `ro`, `rw`, `hide` and `[[mount]]` in one list; the order carries no meaning.
    package var mounts: [Mount] = []

    package init() {}

    /// The paths of the host below which the jail may write: what is found there, links above all, may be its own work.
    package var writableSources: [String] {
        var result: [String] = []
        if case .directory(let path) = root.value, writable.value { result.append(path) }
        for mount in mounts + (rootMount.map { [$0] } ?? []) {
            switch mount.source {
            case .bind(let path): if !mount.options.asked.hasAll(of: .readOnly) { result.append(path) }
            case .overlay(_, let upper?, let work?): result += [upper, work]
            default: break
            }
        }
        if case .kept(let path)? = changes?.value { result += [path + "/upper", path + "/work"] }
        return result
    }

    /// The overlay that is the root, where one is.
    package var rootOverlay: Mount? {
        if let rootMount { return rootMount }
        guard let changes else { return nil }
        let lower: String
        var options = MountOptions()
        switch root.value {
        case .host:
            lower = "/"
            // What is mounted in it is shown by mounts of their own.
            options.isRecursive = false
        case .directory(let path): lower = path
        case .system, .empty, .image: return nil
        }
        let source: Mount.Source =
            switch changes.value {
            case .discarded: .overlay(lower: [lower], upper: nil, work: nil)
            case .kept(let path): .overlay(lower: [lower], upper: path + "/upper", work: path + "/work")
            }
        return Mount(target: "/", source: source, options: options, position: changes.position)
    }

    /// The image that is the root, where one is.
    package var rootImage: Mount? { mounts.first { $0.target == "/" } }

    /// What no host can do.
    package var contradictions: [Diagnostic] {
        // The size of /tmp is that of a root in memory as well.
        let tmp = writable.value ? nil : unused(tmp, "tmp", on: "/tmp")
        return changesWithoutTree + [tmp, unused(shm, "shm", on: "/dev/shm")].compactMap(\.self)
    }

    /// A size for a private tmpfs where the spec mounts something else.
    package func unused(_ room: Located<Room>, _ key: String, on target: String) -> Diagnostic? {
        guard let position = room.position, !room.value.isNone else { return nil }
        guard let mount = mounts.first(where: { $0.target == target && !$0.isHidden }) else { return nil }
        let place = mount.position.map { " at \($0)" } ?? ""
        return Diagnostic(
            "filesystem.\(key): there is no private \(target), as it is mounted\(place), so that nothing has this size",
            at: position, hint: "leave one of the two out")
    }

    /// Only a tree of the host's is copied on write, and not where it is written to itself.
    private var changesWithoutTree: [Diagnostic] {
        guard let changes else { return [] }
        switch root.value {
        case .image: return []
        case .system, .empty:
            return [
                Diagnostic(
                    "filesystem.changes: only a root that is a tree of the host's can be copied on write",
                    at: changes.position,
                    hint: "writable = true makes this root a private tmpfs, which is thrown away")
            ]
        case .host, .directory:
            guard writable.value else { return [] }
            return [
                Diagnostic(
                    "filesystem.changes: writable makes the changes in fact", at: changes.position,
                    hint: "leave one of the two out")
            ]
        }
    }

    /// Whether anything is given by a pattern.
    package var hasPatterns: Bool { mounts.contains { $0.isPattern } }

    /// Whether the size of anything depends on the machine's memory.
    package var asksForMemory: Bool {
        tmp.value == .quarter || home.value == .quarter || shm.value == .quarter || writable.value
    }
}
