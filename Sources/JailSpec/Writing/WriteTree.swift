import LinuxFacts
import SpecFile

extension SpecWriter {
    mutating func write(_ filesystem: Filesystem) {
        if filesystem.rootImage == nil, filesystem.rootMount == nil {
            add("filesystem.root", filesystem.root) { root in
                switch root {
                case .system: TOML.string("system")
                case .host: TOML.string("host")
                case .empty: TOML.string("empty")
                case .directory(let path): TOML.path(path)
                case .image: ""  // it is one of the mounts
                }
            }
        }
        add("filesystem.writable", filesystem.writable) { "\($0)" }
        add("filesystem.changes", filesystem.changes) { changes in
            switch changes {
            case .discarded: TOML.string("discard")
            case .kept(let path): TOML.string(path)
            }
        }
        add("filesystem.proc", filesystem.proc) { "\($0)" }
        add("filesystem.dev", filesystem.devices) { TOML.string($0.rawValue) }
        for (key, room) in [("tmp", filesystem.tmp), ("home", filesystem.home), ("shm", filesystem.shm)] {
            switch room.value {
            case .quarter: break
            case .bytes(let size): add("filesystem.\(key)", "\(size)")
            case .none: add("filesystem.\(key)", "false")
            }
        }
        let hidden = filesystem.mounts.filter { $0.isHidden && !$0.optional }.map { TOML.path($0.target) }
        if !hidden.isEmpty { add("filesystem.hide", TOML.array(hidden)) }
        writePatterns(filesystem.mounts)
        let all = (filesystem.rootMount.map { [$0] } ?? []) + filesystem.mounts
        let mounts = all.filter {
            $0.isPattern ? $0.isLongPattern : !$0.isHidden || $0.optional
        }.map {
            "{ \(words($0).joined(separator: ", ")) }"
        }
        if !mounts.isEmpty { add("mount", TOML.array(mounts)) }
    }

    /// The binds of patterns that need no long form: what was opened tells the key.
    private mutating func writePatterns(_ mounts: [Mount]) {
        let patterns = mounts.filter { $0.isPattern && !$0.isHidden && !$0.isLongPattern }
        for key in ["ro", "rw", "devices"] {
            let paths = patterns.filter { mount in
                let kind =
                    mount.options.opened.hasAll(of: .noDevices) ? "devices" : mount.options.asked.isEmpty ? "rw" : "ro"
                return kind == key
            }.map { TOML.path($0.target) }
            if !paths.isEmpty { add("filesystem.\(key)", TOML.array(paths)) }
        }
    }

    private func words(_ mount: Mount) -> [String] {
        var words = ["target = \(TOML.path(mount.target))"]
        switch mount.source {
        case .bind(let path):
            words.append("type = \"bind\"")
            words.append(
                mount.sourceDescriptor.map { "source_fd = \($0.value)" } ?? "source = \(TOML.path(path))")
        case .tmpfs(let size, let inodes, let mode):
            words += ["type = \"tmpfs\"", "mode = \(TOML.mode(mode))"]
            if let size { words.append("size = \(size)") }
            if let inodes { words.append("inodes = \(inodes)") }
        case .overlay(let lower, let upper, let work):
            words += ["type = \"overlay\"", "lower = \(TOML.array(lower.map(TOML.path)))"]
            if let upper, let work { words += ["upper = \(TOML.path(upper))", "work = \(TOML.path(work))"] }
        case .proc: words.append("type = \"proc\"")
        case .sysfs: words.append("type = \"sysfs\"")
        case .devpts: words.append("type = \"devpts\"")
        case .mqueue: words.append("type = \"mqueue\"")
        case .cgroup: words.append("type = \"cgroup\"")
        case .file(let content, let mode):
            words += ["type = \"file\"", "content = \(TOML.string(content))", "mode = \(TOML.mode(mode))"]
        case .passedFile(let descriptor, let mode):
            words += ["type = \"file\"", "content_fd = \(descriptor)", "mode = \(TOML.mode(mode))"]
        case .symlink(let to): words += ["type = \"symlink\"", "to = \(TOML.string(to))"]
        case .directory(let mode): words += ["type = \"dir\""] + (mode.map { ["mode = \(TOML.mode($0))"] } ?? [])
        case .image(let path, let offset):
            words += ["type = \"image\"", "source = \(TOML.path(path))"] + (offset.map { ["offset = \($0)"] } ?? [])
        case .hidden: words.append("type = \"hide\"")
        }
        let said = mount.options
        let options = MountOptions.words.filter { word in
            (word.asked.isEmpty
                ? !word.opened.isEmpty && said.opened.hasAll(of: word.opened) : said.asked.hasAll(of: word.asked))
                || (word.isRecursive == false && !said.isRecursive)
        }.map(\.word)
        if !options.isEmpty { words.append("options = \(TOML.array(options.map(TOML.string)))") }
        if let device = mount.device { words.append("device = \(TOML.string(device.text))") }
        if mount.isPattern { words.append("pattern = true") }
        if mount.optional { words.append("optional = true") }
        if let made = mount.create {
            words += ["create = \(made.isDirectory ? "true" : "\"file\"")", "mode = \(TOML.mode(made.mode))"]
        }
        if let quota = mount.quota { words.append("quota = \(quota.value)") }
        if let inodes = mount.inodes { words.append("inodes = \(inodes.value)") }
        if !mount.isRecorded { words.append("record = false") }
        if let idmap = mount.idmap { words.append("idmap = \(idmap.value)") }
        return words
    }
}

extension Mount {
    /// Whether it is a pattern that no short form says.
    fileprivate var isLongPattern: Bool {
        let short = [
            MountOptions(.readOnly), MountOptions(), MountOptions(.readOnly | .noExecute, opening: .noDevices),
        ]
        return isPattern && (optional || (source != .hidden && !short.contains(options)))
    }
}
