import JailSpec
import LinuxFacts
import SpecFile

/// A symbolic link of the host's /etc or /usr that leads out of them.
package struct SystemLink: Equatable, Sendable {
    package let path: String
    /// Where it leads, with what comes after it on the way; nothing that the "system" root shows.
    package let place: String

    package init(_ path: String, leadingTo place: String) { (self.path, self.place) = (path, place) }
}

extension TreeBuilder {
    /// What programs need for a network: /etc/resolv.conf leads into /run on every host that has systemd-resolved.
    mutating func placeLinks() {
        guard case .system = spec.filesystem.root.value else { return }
        var placed: [String] = []
        for link in host.neededLinks where !isShown(link.place) && !placed.contains(link.place) {
            if spec.filesystem.mounts.contains(where: { isWithin(link.path, $0.target) }) { continue }
            // A private file stands there: by the link it would come to stand on the same place.
            if link.path == "/etc/resolv.conf", !spec.sharesNetwork { continue }
            if link.path == "/etc/hosts", spec.hostname != nil { continue }
            placed.append(link.place)
            placeTree(
                link.place, on: link.place, .readOnly | .closed | .noExecute, recursive: false, optional: true,
                at: spec.network.mode?.position ?? spec.namespaces[.net].position)
        }
    }

    /// Whether something of the jail's own, or of the spec's, stands there.
    private func isShown(_ path: String) -> Bool {
        premises.stands(path)
    }
}

extension Premises {
    /// Whether a path outside of the "system" root's own directories is one that the jail has for itself or the spec mounts.
    func stands(_ path: String) -> Bool {
        if ["/proc", "/dev", "/tmp", "/sys", "/var/tmp"].contains(where: { isWithin(path, $0) }) { return true }
        return spec.filesystem.mounts.contains { isWithin(path, $0.target) || isWithin($0.target, path) }
    }
}

extension Planner {
    /// Links that lead nowhere in the jail, though they do on the host: told where a plan is looked at.
    mutating func noteLinks() {
        guard spec.filesystem.root.value == .system else { return }
        let dangling = host.danglingLinks.filter { link in
            !premises.stands(link.place) && !host.neededLinks.contains { $0.place == link.place }
        }
        for link in dangling.prefix(20) {
            note("\(link.path) leads to \(link.place), which the jail does not show", at: spec.filesystem.root.position)
        }
        if dangling.count > 20 {
            note(
                "\(dangling.count - 20) more links of /etc and /usr lead out of them", at: spec.filesystem.root.position
            )
        }
    }
}
