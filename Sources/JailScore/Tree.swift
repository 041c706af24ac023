import JailSpec
import LinuxFacts
import SpecFile

extension Check {
    static let tree: [Check] = [
        Check("filesystem.root", advice: "root = \"system\", and single directories in filesystem.ro") { spec in
            let root = spec.filesystem.root
            switch root.value {
            case .system, .empty, .image: return []  // an image has the rows of a mount
            case .host:
                // What ro = ["/"] weighs, for it is the same tree: a read-only mount keeps nobody from connect(2) to the
                // sockets in it. Off comes what stands in front: the jail's own /proc, /dev and /tmp, and what is hidden.
                let danger = Place.danger(of: "/", writable: false, except: spec.covers)
                let what = danger.words("the host's whole tree", "can be read, as far as the user may")
                return [spec.tree(danger.weight, what, at: root.position)]
            case .directory(let path):
                let danger = Place.danger(of: path, writable: false, except: spec.covers)
                return [Opening(weight: danger.weight, what: danger.words(path, "is the root"), origin: root.position)]
            }
        },
        Check("filesystem.writable", advice: "leave it out, and open what is written to with filesystem.rw") { spec in
            let writable = spec.filesystem.writable
            guard writable.value else { return [] }
            switch spec.filesystem.root.value {
            case .image: return []
            case .system, .empty:
                return [
                    Opening(
                        weight: Weight.writableRoot, what: "a root in memory that can be written to",
                        origin: writable.position)
                ]
            case .host:
                // What Landlock leaves to be read has the row of the root, what it leaves to be written a row of its own.
                if spec.closedAccess.contains(.write) { return [] }
                let danger = Place.danger(of: "/", writable: true, except: spec.covers)
                let what = danger.words("the host's whole tree", "can be written to, as far as the user may")
                return [Opening(weight: danger.weight, what: what, origin: writable.position)]
            case .directory(let path):
                let danger = Place.danger(of: path, writable: true, except: spec.covers)
                return [
                    Opening(
                        weight: danger.weight, what: danger.words(path, "can be written to throughout"),
                        origin: writable.position)
                ]
            }
        },
        Check(
            "filesystem.dev", Weight.hostDevices, "every device of the host that the user may open",
            advice: "dev = \"minimal\", and the one device in filesystem.devices"
        ) { $0.filesystem.devices.found { $0 == .host } },
    ]

    static let mounts: [Check] = [
        Check(
            "mount.rw",
            advice:
                "ro, or only the directory that is written to; as a [[mount]] with options = [\"noexec\"] it counts less"
        ) { spec in
            spec.filesystem.mounts.flatMap { mount -> [Opening] in
                guard let path = mount.written else { return [] }
                let danger = Place.danger(of: path, writable: true)
                let weight =
                    mount.options.asked.hasAll(of: .noExecute)
                    ? danger.weight - danger.weight / Weight.noExecuteShare
                    : danger.weight
                let what = danger.words(path, "can be written to")
                return [Opening(weight: weight, what: what, origin: mount.position)]
            }
        },
        Check("mount.ro", advice: "only the files that are needed") { spec in
            spec.filesystem.mounts.flatMap { mount in
                mount.read.map { path in
                    let danger = Place.danger(of: path, writable: false)
                    return Opening(
                        weight: danger.weight, what: danger.words(path, "can be read"), origin: mount.position)
                }
            }
        },
        Check("mount.type", advice: "leave it out: few programs need it") { spec in
            spec.filesystem.mounts.compactMap { mount in
                guard let (weight, what) = mount.surface(isLimited: spec.limits?.value.realMemory != nil) else {
                    return nil
                }
                return Opening(weight: weight, what: "\(mount.target): \(what)", origin: mount.position)
            }
        },
        Check("mount.suid", advice: "leave the option out: nosuid is the default") { spec in
            spec.filesystem.mounts.filter { $0.options.opened.hasAll(of: .noSetuid) }.map { mount in
                if mount.makesFilesOfOthers, mount.honoursRights {
                    let what = "the command can make programs that run on the host with its owner's rights"
                    return Opening(
                        weight: Weight.programsOfOthers, what: "below \(mount.target) \(what)", origin: mount.position)
                }
                let closed = spec.process.noNewPrivileges.value
                let what = "set-user-id files below \(mount.target) count" + (closed ? ", if no_new_privs goes" : "")
                return Opening(
                    weight: closed ? Weight.setuidFilesUnused : Weight.setuidFiles, what: what, origin: mount.position)
            }
        },
        Check("mount.idmap", advice: "leave it out, and let the command's user own what it is to reach") { spec in
            spec.filesystem.mounts.filter { $0.idmap?.value ?? false }.map { mount in
                Opening(
                    weight: Weight.filesOfTheirOwner,
                    what: "below \(mount.target) the command may do what the owner of the files may",
                    origin: mount.idmap?.position)
            }
        },
        Check("mount.dev", advice: "leave the option out, or mount the one device") { spec in
            spec.filesystem.mounts.filter { $0.options.opened.hasAll(of: .noDevices) && $0.source != .devpts }.map {
                mount in
                Opening(
                    weight: Weight.deviceFiles, what: "devices below \(mount.target) can be opened",
                    origin: mount.position)
            }
        },
    ]
}

extension Mount {
    /// The path of the host that can be written to through it.
    fileprivate var written: String? {
        switch source {
        case .bind(let path): options.asked.hasAll(of: .readOnly) ? nil : place(path)
        case .overlay(_, let upper, _): upper
        default: nil
        }
    }

    /// A path as it is weighed: what a pattern matches may be all that there is where it begins.
    private func place(_ path: String) -> String { isPattern ? PathPattern.beginning(of: path) : path }

    /// The paths of the host that can be read through it.
    fileprivate var read: [String] {
        switch source {
        case .bind(let path): options.asked.hasAll(of: .readOnly) ? [place(path)] : []
        case .overlay(let lower, _, _): lower
        case .image(let path, _): [path]
        default: []
        }
    }

    /// What of the kernel a file system of that type exposes; nil for what holds nothing but its own.
    fileprivate func surface(isLimited: Bool) -> (Int, String)? {
        switch source {
        case .sysfs: (Weight.sysfs, "devices and settings of the host in sight")
        case .cgroup:
            options.opened.hasAll(of: .readOnly)
                ? (Weight.writableGroups, "control groups that can be made and changed")
                : (Weight.groups, "control groups in sight")
        case .image: (Weight.image, "the kernel reads a file system image, which may be made to harm it")
        case .mqueue, .devpts, .proc: (Weight.kernelFiles, "one more file system of the kernel's")
        case .tmpfs(nil, _, _): isLimited ? nil : (Weight.unlimitedTmpfs, "half of the host's memory can be filled")
        case .bind, .tmpfs, .overlay, .file, .passedFile, .symlink, .directory, .hidden: nil
        }
    }
}
