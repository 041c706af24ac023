import JailSpec
import SpecFile

extension DockerImport {
    mutating func writeMounts() {
        for option in all("volume") { volume(option) }
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

    /// `SOURCE:TARGET[:OPTION,…]`; the options that only podman(1) has, too.
    private mutating func volume(_ option: DockerOptions.Option) {
        let parts = option.value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2 else {
            return draft.lose("a place that the engine keeps: filesystem.rw has one by its path", option.directive)
        }
        guard parts.count < 4, !parts.contains("") else {
            return draft.fail("\(quoted(option.value)) is not SOURCE:TARGET[:OPTIONS]", option.directive)
        }
        var options: [String] = []
        for word in parts.dropFirst(2).flatMap({ $0.split(separator: ",").map(String.init) }) {
            switch word {
            case "ro", "noexec", "bind": options.append(word)
            case "O":
                options.append("ro")
                draft.lose("what is written, and thrown away: it is read-only", option.directive)
            case "rw", "z", "Z", "nocopy", "consistent", "cached", "delegated", "private", "rprivate", "rbind",
                "nosuid",
                "nodev":
                break
            case "exec", "suid", "dev", "U", "copy", "shared", "rshared", "slave", "rslave", "unbindable",
                "runbindable":
                draft.lose("the option \(word)", option.directive)
            default: draft.fail("no volume has an option \(quoted(word))", option.directive)
            }
        }
        bind(parts[0], parts[1], options, creates: true, option.directive)
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
                "a place of the name \(source) that the engine keeps: filesystem.rw has one by its path",
                restricts: options.contains("ro") && all("read-only").isEmpty, directive)
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
            let (name, value) = word.cut("=")
            switch (name, value ?? "") {
            case ("size", let text):
                if let size = bytes(text.uppercased()) {
                    pairs.append(("size", .integer(size)))
                } else {
                    draft.lose("no size in bytes: \(text)", restricts: true, directive)
                }
            case ("nr_inodes", let text):
                if let count = Int64(text) {
                    pairs.append(("inodes", .integer(count)))
                } else {
                    draft.lose("no number of files: \(text)", restricts: true, directive)
                }
            case ("mode", let mode) where isOctal(mode): pairs.append(("mode", .string(mode)))
            case ("ro", ""), ("rw", ""): isReadOnly = name == "ro"
            case ("exec", ""), ("noexec", ""): isExecutable = name == "exec"
            case ("nosuid", ""), ("nodev", ""), ("noatime", ""), ("relatime", ""), ("nodiratime", ""), ("async", ""):
                break
            case ("suid", ""), ("dev", ""), ("uid", _), ("gid", _), ("huge", _), ("mpol", _), ("atime", ""),
                ("strictatime", ""), ("diratime", ""), ("sync", ""), ("dirsync", ""), ("tmpcopyup", ""):
                draft.lose("the option \(word)", directive)
            default: draft.lose("the option \(word)", restricts: true, directive)
            }
        }
        let options = (isReadOnly ? ["ro"] : []) + (isExecutable ? [] : ["noexec"])
        if !options.isEmpty { pairs.append(("options", .strings(options))) }
        if cleaned(target) == "/tmp" { draft.set("filesystem.tmp", .boolean(false), directive) }
        mounts.add(cleaned(literal(target)), pairs, directive, &draft)
    }

    private mutating func mount(_ option: DockerOptions.Option) {
        guard let words = fieldsOfCSV(option.value) else {
            return draft.fail("a quote that is not closed, or not around a whole field", option.directive)
        }
        var fields: [String: String] = [:]
        for part in words {
            let (name, value) = part.cut("=")
            let names = ["src": "source", "dst": "target", "destination": "target", "ro": "readonly"]
            let key = name.lowercased()
            fields[names[key] ?? key] = value ?? "true"
        }
        guard let target = fields["target"], !target.isEmpty else { return draft.fail("no target", option.directive) }
        let isReadOnly = truth(fields["readonly"], "readonly", option)
        let isExecutable = !truth(fields["noexec"], "noexec", option)
        loseFields(of: fields, option)
        switch fields["type"]?.lowercased() ?? "volume" {
        case "bind":
            guard let source = fields["source"], !source.isEmpty else {
                return draft.fail("no source", option.directive)
            }
            let isSingle =
                truth(fields["bind-nonrecursive"], "bind-nonrecursive", option)
                || fields["bind-recursive"] == "disabled"
            let options = (isReadOnly ? ["ro"] : []) + (isExecutable ? [] : ["noexec"]) + (isSingle ? ["bind"] : [])
            bind(hasPlace(source) ? source : "./" + source, target, options, creates: false, option.directive)
        case "tmpfs":
            var words = isReadOnly ? ["ro"] : []
            if let size = fields["tmpfs-size"] { words.append("size=\(size)") }
            if let mode = fields["tmpfs-mode"] { words.append("mode=\(mode)") }
            temporary(target, words, option.directive)
        case let type:
            draft.lose(
                "a mount of the type \(type)", restricts: isReadOnly && all("read-only").isEmpty, option.directive)
        }
    }

    /// Whether a source is a path by its first letter; in --mount one that is not is a path all the same.
    private func hasPlace(_ source: String) -> Bool { source.hasPrefix("/") || source.hasPrefix(".") }

    /// The fields of --mount that have no line. What is unknown may restrict.
    private mutating func loseFields(of fields: [String: String], _ option: DockerOptions.Option) {
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            switch name {
            case "type", "source", "target", "readonly", "tmpfs-size", "tmpfs-mode", "consistency", "bind-nonrecursive",
                "noexec", "nosuid", "nodev", "rw":
                break
            case "bind-recursive":
                if !["enabled", "disabled", "writable", "readonly"].contains(value) {
                    draft.fail("bind-recursive: \(quoted(value)) is not a word for it", option.directive)
                }
            case "bind-propagation":
                if !["private", "rprivate"].contains(value) { draft.lose("mounts that come later", option.directive) }
            default:
                let isOpening = ["relabel", "chown", "u", "bind-create-src", "exec", "suid", "dev"].contains(name)
                draft.lose(
                    "the field \(name)", restricts: !isOpening && !name.hasPrefix("volume-"), option.directive)
            }
        }
    }

    /// A boolean as the engine reads it; absent is false.
    private mutating func truth(_ value: String?, _ name: String, _ option: DockerOptions.Option) -> Bool {
        guard let value else { return false }
        guard let truth = DockerOptions.truth(value) else {
            draft.fail("\(name): \(quoted(value)) is not true or false", option.directive)
            return false
        }
        return truth
    }
}
