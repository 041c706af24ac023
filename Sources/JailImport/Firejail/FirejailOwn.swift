import JailSpec
import LinuxFacts
import SpecFile

/// What stands in the jail though no line shows it: a line that restricts its place restricts it, too.
extension FirejailImport {
    private struct Own {
        let path: String
        /// The key by which the jail has it.
        var key: String?
        var kind: FirejailPlaces.Kind
    }

    /// The directories at a path or below it that can be written to and that no line has mounted.
    private func own(within path: String) -> [Own] {
        var result = [
            Own(path: "~", key: "filesystem.home", kind: .empty(mode: "0700")),
            Own(path: "/tmp", key: "filesystem.tmp", kind: .empty(mode: "1777")),
        ]
        // Where /tmp is the jail's own, /var/tmp leads to it.
        if places.index("/tmp") == nil, !places.shows("/var/tmp") {
            result.append(Own(path: "/var/tmp", kind: .empty(mode: "1777")))
        }
        if has("private-dev") {
            result.append(Own(path: "/dev/shm", kind: .empty(mode: "1777")))
        } else {
            // Of the host's /dev what stores files can be written to, and nothing there is executed.
            for store in ["/dev/shm", "/dev/mqueue", "/dev/hugepages"] {
                result.append(Own(path: store, kind: .bind(source: store)))
            }
        }
        return result.filter { places.covers(path, $0.path) && places.index($0.path) == nil }
    }

    /// Adds an option to what of a path is the jail's own.
    mutating func restrictOwn(_ option: String, _ path: String, _ directive: Directive) {
        for own in own(within: path) {
            if option == "noexec", case .bind = own.kind { continue }
            mount(own, [option], directive)
        }
    }

    private mutating func mount(_ own: Own, _ options: [String], _ directive: Directive) {
        if let key = own.key { draft.set(key, .boolean(false), directive) }
        places.add(own.path, own.kind, options, directive)
    }

    /// Closes what of a path is the jail's own; false where nothing is.
    ///
    /// A directory in which nothing is and nothing can be made is as good as hidden, and the command can still start in it.
    mutating func hideOwn(_ path: String, _ directive: Directive) -> Bool {
        var isFound = false
        for own in own(within: path) {
            // A part of the host's /dev is hidden as the rest of it is.
            if case .bind = own.kind { continue }
            mount(own, ["ro"], directive)
            isFound = true
        }
        guard has("private-dev") else { return isFound }
        for node in DeviceNode.allCases.map(\.path) + ["/dev/pts"] where places.covers(path, node) {
            isFound = true
            if isWithin(path, "/dev"), path != "/dev" { places.add(node, .hidden, directive) }
        }
        if places.covers(path, "/dev") || DeviceLink.allCases.contains(where: { places.covers(path, $0.path) }) {
            draft.lose("what every jail has in /dev stays", restricts: true, directive)
            isFound = true
        }
        return isFound
    }
}
