import JailSpec
import SpecFile

extension Planner {
    /// Sections that a spec may state and this version cannot put in force are refused by name, never passed over.
    mutating func refuseWhatIsNotImplemented() {
        func refuse(_ what: String, _ position: Position?) {
            fault("\(what) is not implemented in this version", at: position, hint: "remove it to launch without it")
        }
        for mount in spec.filesystem.mounts {
            switch mount.source {
            case .overlay: refuse("type = \"overlay\"", mount.position)
            case .image: refuse("type = \"image\"", mount.position)
            default: break
            }
            if let quota = mount.quota { refuse("quota", quota.position) }
            if let idmap = mount.idmap, idmap.value { refuse("idmap", idmap.position) }
        }
        if let mode = spec.network.mode, mode.value != .none, mode.value != .host {
            refuse("network mode \"\(mode.value.rawValue)\"", mode.position)
        }
        if let first = spec.network.publish.first { refuse("network publish", first.position) }
        if let allow = spec.network.allow { refuse("network allow", allow.value.first?.position ?? allow.position) }
        if let dns = spec.network.dns { refuse("network dns", dns.value.first?.position ?? dns.position) }
    }
}
