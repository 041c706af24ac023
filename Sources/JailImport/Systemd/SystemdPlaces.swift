import JailSpec
import SpecFile

/// What a unit says of the paths of its tree, put together before any of it is written.
///
/// As in systemd's namespaces, of several lines for one path the more restrictive one holds, nothing below what is
/// inaccessible is shown, and a path that says nothing of a property has that of what surrounds it.
struct SystemdPlaces {
    struct Place {
        let path: String
        /// What is mounted there, its keys but for the target, the options and whether it may be missing; nil for what
        /// the root has there.
        var content: [(String, Node.Value)]?
        var isReadOnly: Bool?
        var isNoExec: Bool?
        var isHidden = false
        /// Whether every jail has it, the /tmp: it is mounted by a line only where it is to have options.
        var isFixed = false
        var options: [String] = []
        var isOptional = false
        var directive: Directive
    }

    private(set) var places: [Place] = []
    /// What the whole tree is, unless a path says otherwise.
    var rootIsReadOnly = false
    /// Where the root's own files are on the host.
    var root = "/"

    /// Adds what a line says, to what others say of the path.
    mutating func add(_ place: Place, _ draft: inout Draft) {
        guard let index = places.firstIndex(where: { $0.path == place.path }) else { return places.append(place) }
        draft.isPart(place.directive)
        var merged = places[index]
        if merged.content == nil, let content = place.content {
            merged.content = content
            draft.isPart(merged.directive)
            merged.directive = place.directive
        } else if merged.content != nil, place.content != nil {
            draft.warn("has no effect: \(merged.directive.reference) has the same place", place.directive)
        }
        merged.isReadOnly = Self.either(merged.isReadOnly, place.isReadOnly)
        merged.isNoExec = Self.either(merged.isNoExec, place.isNoExec)
        merged.isHidden = merged.isHidden || place.isHidden
        merged.isFixed = merged.isFixed || place.isFixed
        merged.options += place.options
        merged.isOptional = merged.isOptional && place.isOptional
        places[index] = merged
    }

    private static func either(_ one: Bool?, _ other: Bool?) -> Bool? {
        guard let one, let other else { return one ?? other }
        return one || other
    }

    /// The places around a path, the closest one first.
    private func around(_ path: String) -> [Place] {
        places.filter { $0.path != path && isWithin(path, $0.path) }.sorted { $0.path.utf8.count > $1.path.utf8.count }
    }

    /// Writes the mounts; `mayMount`: whether the service could take them away again.
    func write(hasHostDevices: Bool, mayMount: Bool, into draft: inout Draft) {
        for place in places {
            let outer = around(place.path)
            if place.isHidden {
                if mayMount { cover(place, &draft) } else { draft.place("hide", place.path, place.directive) }
            } else if let hidden = outer.first(where: \.isHidden) {
                draft.warn("has no effect: \(hidden.directive.reference) hides it", place.directive)
            } else {
                write(place, within: outer, hasHostDevices, &draft)
            }
        }
    }

    /// Something empty in place of what is hidden: a spec hides nothing from who has sys_admin, and neither does systemd.
    private func cover(_ place: Place, _ draft: inout Draft) {
        let isDirectory = ["/home", "/root", "/run/user"].contains(place.path)
        guard isDirectory || place.path == "/dev/kmsg" else {
            return draft.lose("nothing can be hidden from who has sys_admin", restricts: true, place.directive)
        }
        var pairs: [(String, Node.Value)] = [("target", .string(place.path))]
        if isDirectory {
            pairs += [("type", .string("tmpfs")), ("mode", .string("0000")), ("options", .strings(["ro"]))]
        } else {
            pairs += [("type", .string("file")), ("content", .string("")), ("mode", .string("0000"))]
        }
        draft.add("mount", pairs, place.directive)
        draft.warn("sys_admin can uncover it, as it can under systemd", place.directive)
    }

    private func write(
        _ place: Place, within outer: [Place], _ hasHostDevices: Bool, _ draft: inout Draft
    ) {
        let isReadOnlyAround = outer.lazy.compactMap(\.isReadOnly).first ?? rootIsReadOnly
        let isReadOnly = place.isReadOnly ?? isReadOnlyAround
        let isNoExec = place.isNoExec ?? outer.lazy.compactMap(\.isNoExec).first ?? false
        if place.isFixed {
            guard place.isReadOnly == true || isNoExec else { return }
            draft.set("filesystem.tmp", .boolean(false), place.directive)
        }
        var content = place.content
        if content == nil {
            guard let source = source(of: place, within: outer, hasHostDevices) else {
                return draft.lose(
                    "what surrounds it is the jail's own, and has nothing there", restricts: isReadOnly || isNoExec,
                    place.directive)
            }
            let isSaidAround = place.isNoExec == nil && place.isReadOnly == true && isReadOnlyAround
            if isSaidAround, !Self.own.contains(where: { isWithin(place.path, $0) }) {
                return draft.isInForce(.readOnly(place.path), "what surrounds it is read-only", place.directive)
            }
            content = [("source", .string(source))]
        }
        let options = (isReadOnly ? ["ro"] : []) + (isNoExec ? ["noexec"] : []) + place.options
        Self.write(place, content ?? [], options, &draft)
    }

    private static func write(
        _ place: Place, _ content: [(String, Node.Value)], _ options: [String], _ draft: inout Draft
    ) {
        if case .string(let source)? = content.first?.1, content.count == 1, !place.isOptional,
            options.isEmpty || options == ["ro"]
        {
            return draft.place(options.isEmpty ? "rw" : "ro", source, on: place.path, place.directive)
        }
        var pairs = [("target", Node.Value.string(place.path))] + content
        if !options.isEmpty { pairs.append(("options", .strings(options))) }
        if place.isOptional { pairs.append(("optional", .boolean(true))) }
        draft.add("mount", pairs, place.directive)
    }

    /// What a read-only root does not make read-only.
    private static let own = ["/dev", "/proc", "/sys", "/run"]

    /// Where on the host the files of a path are; nil where the jail has something of its own around it.
    private func source(of place: Place, within outer: [Place], _ hasHostDevices: Bool) -> String? {
        guard let mounted = outer.first(where: { $0.content != nil }), let content = mounted.content else {
            if isWithin(place.path, "/dev") { return hasHostDevices ? place.path : nil }
            return root == "/" || isWithin(place.path, "/proc") || isWithin(place.path, "/sys")
                ? place.path : root + place.path
        }
        guard case .string(let source)? = content.first(where: { $0.0 == "source" })?.1 else { return nil }
        let rest = String(place.path.dropFirst(mounted.path.count))
        return source == "/" ? rest : source + rest
    }
}
