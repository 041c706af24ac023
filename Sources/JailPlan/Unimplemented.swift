import JailSpec
import SpecFile

extension Planner {
    /// What a spec may state and this version cannot put in force is refused by name, never passed over.
    mutating func refuseWhatIsNotImplemented() {
        for mount in spec.filesystem.mounts {
            switch mount.source {
            case .overlay: refuse("type = \"overlay\"", mount.position)
            case .image: refuse("type = \"image\"", mount.position)
            default: break
            }
            if let quota = mount.quota { refuse("quota", quota.position) }
            if let idmap = mount.idmap, idmap.value { refuse("idmap", idmap.position) }
        }
        refuseNetworks()
    }

    mutating func refuse(_ what: String, _ position: Position?) {
        fault("\(what) is not implemented in this version", at: position, hint: "remove it to launch without it")
    }
}
