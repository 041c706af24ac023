/// The types of `[[mount]]`, each with the keys that have a meaning for it besides `target` and `type`.
enum MountType: String, CaseIterable {
    case bind, tmpfs, overlay, proc, sysfs, devpts, mqueue, cgroup, file, symlink, dir, image, hide

    /// What Swift makes of the cases by itself is a list of them, whose type a launch would have to make: 20 us.
    init?(rawValue word: String) {
        switch word {
        case "bind": self = .bind
        case "tmpfs": self = .tmpfs
        case "overlay": self = .overlay
        case "proc": self = .proc
        case "sysfs": self = .sysfs
        case "devpts": self = .devpts
        case "mqueue": self = .mqueue
        case "cgroup": self = .cgroup
        case "file": self = .file
        case "symlink": self = .symlink
        case "dir": self = .dir
        case "image": self = .image
        case "hide": self = .hide
        default: return nil
        }
    }

    var keys: [String] {
        switch self {
        case .bind:
            [
                "source", "source_fd", "device", "options", "optional", "pattern", "create", "mode", "quota", "inodes",
                "idmap",
            ]
        case .image: ["source", "offset", "options", "optional", "idmap"]
        case .overlay: ["lower", "upper", "work", "options", "optional", "quota", "inodes", "idmap", "record"]
        case .tmpfs: ["size", "inodes", "mode", "options"]
        case .proc, .sysfs, .devpts, .mqueue, .cgroup: ["options"]
        case .file: ["content", "content_fd", "mode", "options"]
        case .symlink: ["to"]
        case .dir: ["mode", "optional"]
        case .hide: ["optional", "pattern"]
        }
    }

    /// Those of them that must be there.
    var required: [String] {
        switch self {
        case .image: ["source"]
        case .overlay: ["lower"]
        case .symlink: ["to"]
        default: []
        }
    }

    /// Those of which one must be there.
    var alternatives: [String] { self == .bind ? ["source", "source_fd"] : [] }

    /// The words that it does not take: what they allow stays closed, whatever is written.
    var foreignWords: [String] {
        switch self {
        case .proc, .mqueue, .cgroup: ["suid", "dev", "exec"]
        case .sysfs: ["rw", "suid", "dev", "exec"]
        case .devpts: ["suid", "exec"]
        case .file: ["suid", "dev"]
        default: []
        }
    }

    static let allKeys = [
        "target", "type", "source", "options", "optional", "size", "inodes", "mode", "content", "to", "lower", "upper",
        "work", "quota", "idmap", "create", "offset", "pattern", "source_fd", "content_fd",
        "record", "device",
    ]
}
