import JailSpec
import LinuxFacts
import SpecFile

/// resolv.conf(5) of a jail whose network leads out.
extension TreeBuilder {
    /// A private file over the tree's own, unless the spec mounts something there.
    mutating func placeResolvers() {
        guard let resolvers else { return }
        let isTaken = spec.filesystem.mounts.contains { $0.target == "/etc" || $0.target == "/etc/resolv.conf" }
        if isTaken { return }
        let text =
            resolvers.map { "nameserver \($0)\n" }.joined() + host.network.resolverOptions.map { $0 + "\n" }.joined()
        place(
            .file(content: text, mode: 0o644), on: "/etc/resolv.conf", .readOnly | .closed, isDirectory: false,
            at: spec.network.dns?.position ?? spec.network.mode?.position)
    }
}
