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
        for option in all("device") { device(option) }
        if let option = last("shm-size") {
            if let size = bytes(option.value.uppercased()) {
                draft.set("filesystem.shm", .integer(size), option.directive)
            } else {
                draft.fail("\(quoted(option.value)) is not a size", option.directive)
            }
        }
    }

    private mutating func device(_ option: DockerOptions.Option) {
        let parts = option.value.split(separator: ":").map(String.init)
        let target = cleaned(parts.count > 1 && parts[1].hasPrefix("/") ? parts[1] : parts.first ?? "")
        guard let written = parts.first, written.hasPrefix("/") else {
            return draft.lose("a device that the engine's runtime finds", option.directive)
        }
        let source = cleaned(written)
        guard OCIImport.isBelowDevices(source), OCIImport.isBelowDevices(target) else {
            return draft.fail("a device has its place below /dev, on the host and in the jail", option.directive)
        }
        if let rights = parts.last, parts.count > 1, !rights.hasPrefix("/"),
            !rights.contains("r") || !rights.contains("w")
        {
            draft.lose(
                "a device is read and written to as its mode allows: \(rights) is not less", restricts: true,
                option.directive)
        }
        mounts.add(
            literal(target),
            [("source", .string(literal(source))), ("device", .string("any")), ("options", .strings(["dev"]))],
            option.directive, &draft)
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
        var pairs: [(String, Node.Value)] = [("type", .string("tmpfs"))]
        // The engine's own are noexec; the last word of two counts.
        var (isReadOnly, isExecutable) = (false, false)
        for word in words {
            if let size = word.after("size=").flatMap({ bytes($0.uppercased()) }) {
                pairs.append(("size", .integer(size)))
            } else if let mode = word.after("mode="), isOctal(mode) {
                pairs.append(("mode", .string(mode)))
            } else if ["ro", "rw"].contains(word) {
                isReadOnly = word == "ro"
            } else if ["exec", "noexec"].contains(word) {
                isExecutable = word == "exec"
            } else if !["nosuid", "nodev"].contains(word) {
                draft.lose("the option \(word)", directive)
            }
        }
        let options = (isReadOnly ? ["ro"] : []) + (isExecutable ? [] : ["noexec"])
        if !options.isEmpty { pairs.append(("options", .strings(options))) }
        if cleaned(target) == "/tmp" { draft.set("filesystem.tmp", .boolean(false), directive) }
        mounts.add(cleaned(literal(target)), pairs, directive, &draft)
    }

    private mutating func mount(_ option: DockerOptions.Option) {
        var fields: [String: String] = [:]
        for part in option.value.split(separator: ",").map(String.init) {
            let (name, value) = part.cut("=")
            let names = ["src": "source", "dst": "target", "destination": "target", "ro": "readonly"]
            let key = name.lowercased()
            fields[names[key] ?? key] = value ?? "true"
        }
        guard let target = fields["target"] else { return draft.fail("no target", option.directive) }
        let known = [
            "type", "source", "target", "readonly", "tmpfs-size", "tmpfs-mode", "consistency", "bind-nonrecursive",
        ]
        for name in fields.keys.sorted() where !known.contains(name) {
            draft.lose("the field \(name)", option.directive)
        }
        let isReadOnly = truth(fields["readonly"], "readonly", option)
        switch fields["type"]?.lowercased() ?? "volume" {
        case "bind":
            let isSingle = truth(fields["bind-nonrecursive"], "bind-nonrecursive", option)
            let options = (isReadOnly ? ["ro"] : []) + (isSingle ? ["bind"] : [])
            bind(fields["source"] ?? "", target, options, creates: false, option.directive)
        case "tmpfs":
            var words = isReadOnly ? ["ro"] : []
            if let size = fields["tmpfs-size"] { words.append("size=\(size)") }
            if let mode = fields["tmpfs-mode"] { words.append("mode=\(mode)") }
            temporary(target, words, option.directive)
        case let type: draft.lose("a mount of the type \(type)", option.directive)
        }
    }

    /// What ParseBool of Go takes for true or false; absent is false.
    private mutating func truth(_ value: String?, _ name: String, _ option: DockerOptions.Option) -> Bool {
        guard let value else { return false }
        if ["1", "t", "T", "TRUE", "true", "True"].contains(value) { return true }
        if !["0", "f", "F", "FALSE", "false", "False"].contains(value) {
            draft.fail("\(name): \(quoted(value)) is not true or false", option.directive)
        }
        return false
    }
}
