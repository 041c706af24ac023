import JailSpec
package import LinuxFacts
import SpecFile

/// What of the file system stays open to the command: the jail's own tree, and files outside of it as they were opened.
package struct TreeRules: Equatable, Sendable {
    /// A mount of the jail that allows more than the root that it stands in.
    package struct Place: Equatable, Sendable {
        package let slot: Int
        package let target: String
    }

    /// What is closed but for the rules.
    package let closed: FileAccess
    /// What is allowed below `/`: all where its files are the jail's own or may be written to; where they are the host's, and
    /// the mount is read-only, no more than reading.
    package let belowRoot: FileAccess
    /// Where all is allowed besides.
    package let places: [Place]
    /// Descriptors that the spec passes on: what they lead to is allowed as they were opened, and all below a directory. The
    /// files of 0 to 2 likewise, but no directory.
    package let passing: [Int32]

    var words: OperationWords {
        OperationWords(
            "keep_to_tree", "keep the command to its tree",
            [
                ("closed", .array(closed.names.map { .string($0) })),
                ("below_root", .array(belowRoot.names.map { .string($0) })),
                ("places", .array(places.map { .string($0.target) })),
                ("passing", .array(passing.map { .integer(Int($0)) })),
            ],
            detail: "files outside stay as they were opened")
    }
}

extension Planner {
    /// A file outside of the tree is the command's by a descriptor alone, and /proc/PID/fd opens what is behind one anew, with
    /// any access that the file's mode grants (proc(5)): a log that was given for appending is overwritten, a file for
    /// reading written. Landlock asks for the directories above a file, those of the mount that it was opened on, so that
    /// one rule for the root of the jail leaves all of its tree open and nothing else.
    mutating func keepToTree() {
        guard isNew(.mount) else { return }
        guard let closed = rightsOfTree else { return noteOpenDescriptors() }
        if !isNew(.ipc) {
            note(
                "no message queue of an IPC namespace that is shared can be opened: Landlock cannot tell them from other files "
                    + "outside of the tree", at: spec.namespaces.written[.ipc]?.position)
        }
        var belowRoot = closed
        var places: [TreeRules.Place] = []
        if rootIsHosts {
            belowRoot = closed & (.readFile | .readDirectory)
            places = placesWithMore
        }
        add(
            .landlock(
                .keepToTree(
                    TreeRules(closed: closed, belowRoot: belowRoot, places: places, passing: spec.process.fds.value))),
            nil)
    }

    /// What can be closed; nil where nothing can, or Landlock would forbid the command what it is for.
    ///
    /// Executing and ioctl(2) on devices stay open: the one needs reading, which is closed, the other a descriptor.
    var rightsOfTree: FileAccess? {
        guard isNew(.mount), !keepsMounting, mayEnforce, LandlockABI.refer.isIn(host.landlockABI) else { return nil }
        var left = FileAccess.execute | .controlDevice
        // Whether the rules of the spec hold is tried by an access that these do not close.
        if spec.landlock?.value.files != nil { left = left | .makeFIFO }
        return FileAccess(rawValue: FileAccess.known(toABI: host.landlockABI).rawValue & ~left.rawValue)
    }

    /// Whether the command is to mount, which Landlock forbids to whom it restricts.
    private var keepsMounting: Bool {
        if spec.namespaces.nested.value { return true }
        func has(_ set: Located<CapabilitySet>?) -> Bool { set?.value.contains(.sys_admin) ?? false }
        return has(spec.capabilities.keep) || has(spec.capabilities.bounding) || has(spec.capabilities.permitted)
    }

    /// Whether `/` is a directory of the host's that the jail may not write to: a descriptor may have been opened below it.
    private var rootIsHosts: Bool {
        for step in plan.steps {
            guard case .tree(.fill(_, let filling, let promise)) = step.operation, promise.target == "/" else {
                continue
            }
            if case .tree = filling { return promise.held.contains(.readOnly) }
            return false
        }
        return false
    }

    /// Mounts that allow more than reading: those that may be written to, and what is no tree of the host's, like proc.
    private var placesWithMore: [TreeRules.Place] {
        var places: [TreeRules.Place] = []
        for step in plan.steps {
            guard case .tree(.fill(let slot, let filling, let promise)) = step.operation, promise.target != "/" else {
                continue
            }
            // Device nodes and FIFOs of a read-only mount may be written to.
            if case .tree = filling, promise.held.contains(.readOnly | .noDevices) { continue }
            places.append(TreeRules.Place(slot: slot, target: promise.target))
        }
        return places
    }

    private mutating func noteOpenDescriptors() {
        let why =
            keepsMounting
            ? "Landlock, which would keep it from that, forbids the mounts that it is to make"
            : mayEnforce
                ? "to keep it from that takes version \(LandlockABI.refer.rawValue) of Landlock's interface, here "
                    + "\(host.landlockABI)"
                : "to keep it from that takes no_new_privs"
        note(
            "files outside that the command gets descriptors of can be opened anew, with more access: \(why)",
            at: spec.namespaces.nested.position ?? spec.process.noNewPrivileges.position)
    }
}
