import JailSpec
import SpecFile

extension Planner {
    /// What a spec may state and this version cannot put in force is refused by name, never passed over.
    mutating func refuseWhatIsNotImplemented() {
        for mount in spec.filesystem.mounts {
            if let quota = mount.quota, !mount.isThrownAway { refuse("quota", quota.position) }
            if let inodes = mount.inodes, !mount.isThrownAway { refuse("inodes", inodes.position) }
            if let idmap = mount.idmap, idmap.value { refuse("idmap", idmap.position) }
        }
    }

    mutating func refuse(_ what: String, _ position: Position?) {
        faults.append(Self.unimplemented(what, position))
    }

    static func unimplemented(_ what: String, _ position: Position?) -> Diagnostic {
        Diagnostic(
            "\(what) is not implemented in this version", at: position, hint: "remove it to launch without it")
    }
}
