import JailSpec
import SpecFile

extension DockerImport {
    mutating func writeMounts() {
        for option in all("volume") {
            let parts = option.value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count >= 2 else {
                draft.lose("a place that the engine keeps: filesystem.rw has one by its path", option.directive)
                continue
            }
            var options: [String] = []
            for word in parts.dropFirst(2).flatMap({ $0.split(separator: ",").map(String.init) }) {
                switch word {
                case "ro": options.append("ro")
                case "rw", "z", "Z", "nocopy", "consistent", "cached", "delegated", "private", "rprivate": break
                default: draft.lose("the option \(word)", option.directive)
                }
            }
            bind(parts[0], parts[1], options, creates: true, option.directive)
        }
        for option in all("mount") { mount(option) }
        for option in all("tmpfs") {
            let (target, words) = option.value.cut(":")
            temporary(target, (words ?? "").split(separator: ",").map(String.init), option.directive)
        }
        for option in all("device") {
            let parts = option.value.split(separator: ":").map(String.init)
            let target = parts.count > 1 && parts[1].hasPrefix("/") ? parts[1] : parts.first ?? ""
            guard let source = parts.first, source.hasPrefix("/") else {
                draft.lose("a device that the engine's runtime finds", option.directive)
                continue
            }
            let isReadOnly = parts.count > 1 && parts.last == "r"
            mounts.bind(
                literal(source), on: cleaned(literal(target)), (isReadOnly ? ["ro"] : []) + ["dev"], option.directive,
                &draft)
        }
        if let option = last("shm-size") {
            if let size = bytes(option.value.uppercased()) {
                draft.set("filesystem.shm", .integer(size), option.directive)
            } else {
                draft.fail("\(quoted(option.value)) is not a size", option.directive)
            }
        }
    }

    /// A directory of the host; a name is a place that the engine keeps.
    private mutating func bind(
        _ source: String, _ target: String, _ options: [String], creates: Bool, _ directive: Directive
    ) {
        guard source.hasPrefix("/") || source.hasPrefix(".") else {
            return draft.lose(
                "a place of the name \(source) that the engine keeps: filesystem.rw has one by its path", directive)
        }
        var pairs: [(String, Node.Value)] = [("source", .string(hostPath(source)))]
        if !options.isEmpty { pairs.append(("options", .strings(options))) }
        if creates { pairs.append(("create", .boolean(true))) }
        mounts.add(cleaned(literal(target)), pairs, directive, &draft)
    }

    private mutating func temporary(_ target: String, _ words: [String], _ directive: Directive) {
        if cleaned(target) == "/tmp", words.isEmpty { return draft.isInForce("a /tmp of the jail's own", directive) }
        var pairs: [(String, Node.Value)] = [("type", .string("tmpfs"))]
        var options: [String] = []
        for word in words {
            if let size = word.after("size=").flatMap({ bytes($0.uppercased()) }) {
                pairs.append(("size", .integer(size)))
            } else if let mode = word.after("mode="), isOctal(mode) {
                pairs.append(("mode", .string(mode)))
            } else if ["ro", "noexec"].contains(word) {
                options.append(word)
            } else if !["rw", "nosuid", "nodev"].contains(word) {
                draft.lose("the option \(word)", directive)
            }
        }
        if !options.isEmpty { pairs.append(("options", .strings(options))) }
        if cleaned(target) == "/tmp" { draft.set("filesystem.tmp", .boolean(false), directive) }
        mounts.add(cleaned(literal(target)), pairs, directive, &draft)
    }

    private mutating func mount(_ option: DockerOptions.Option) {
        var fields: [String: String] = [:]
        for part in option.value.split(separator: ",").map(String.init) {
            let (name, value) = part.cut("=")
            let names = ["src": "source", "dst": "target", "destination": "target", "ro": "readonly"]
            fields[names[name] ?? name] = value ?? "true"
        }
        guard let target = fields["target"] else { return draft.fail("no target", option.directive) }
        let known = ["type", "source", "target", "readonly", "tmpfs-size", "tmpfs-mode", "consistency"]
        for name in fields.keys.sorted() where !known.contains(name) {
            draft.lose("the field \(name)", option.directive)
        }
        switch fields["type"] ?? "volume" {
        case "bind":
            let isReadOnly = ["true", "1"].contains(fields["readonly"] ?? "")
            bind(fields["source"] ?? "", target, isReadOnly ? ["ro"] : [], creates: false, option.directive)
        case "tmpfs":
            var words: [String] = []
            if let size = fields["tmpfs-size"] { words.append("size=\(size)") }
            if let mode = fields["tmpfs-mode"] { words.append("mode=\(mode)") }
            temporary(target, words, option.directive)
        case let type: draft.lose("a mount of the type \(type)", option.directive)
        }
    }
}
