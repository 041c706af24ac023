import JailPlan
import JailSpec
import Kernel
import SpecFile

extension ControlGroups {
    /// What this host offers to `limits`; nothing is changed.
    static func probe(for limits: Limits, uid: UInt32) -> ControlGroups {
        var groups = ControlGroups()
        groups.uid = uid
        let (path, old) = OwnGroup.membership()
        groups.old = old
        groups.mount = OwnGroup.mount()
        groups.scope = limits.scope.value
        groups.isManaged = Caller.exists("/run/systemd/system")
        if groups.isManaged { groups.manager = ManagerSocket.path(uid: uid) == nil ? nil : uid == 0 ? .system : .user }
        for entry in limits.io { groups.devices.append(.probe(entry.device.value, weighs: entry.weight != nil)) }
        if limits.ioWeight != nil { groups.disks = Device.disks() }
        guard let mount = groups.mount else { return groups }
        groups.available = words(at: mount + "/cgroup.controllers")
        // A group outside of what the cgroup namespace shows has a path with "..".
        guard let path, !path.utf8.starts(with: "/..".utf8) else { return groups }
        groups.own = Group(probing: path, below: mount)
        if path != "/" && groups.own?.isDelegated == false { groups.parent = Group(probing: above(path), below: mount) }
        if groups.isManaged { groups.lookAtUnit(around: path, below: mount) }
        if let base = groups.baseGroup, base.controllers.count < groups.available.count {
            groups.chain = chain(to: base.path, below: mount)
        }
        return groups
    }

    private static func above(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    private static func chain(to path: String, below mount: String) -> [Group] {
        var result: [Group] = []
        var next = path
        while next != "/" {
            next = above(next)
            if let group = Group(probing: next, below: mount) { result.insert(group, at: 0) }
        }
        return result
    }

    /// The words of a file; none where it cannot be read.
    static func words(at path: String) -> [String] {
        do throws(KernelError) {
            return Kernel.words(try readBytes(path))
        } catch {
            return []
        }
    }
}

extension ControlGroups.Group {
    /// nil where there is no such directory.
    init?(probing path: String, below mount: String) {
        let directory = path == "/" ? mount : mount + path
        self.init(path: path)
        do throws(KernelError) {
            controllers = Kernel.words(try readBytes(directory + "/cgroup.controllers"))
        } catch {
            return nil
        }
        do throws(KernelError) {
            type = lines(try readBytes(directory + "/cgroup.type")).first
        } catch {
            type = nil
        }
        enabled = ControlGroups.words(at: directory + "/cgroup.subtree_control")
        isWritable = mayWrite(directory) && mayWrite(directory + "/cgroup.procs")
        isDelegated = ControlGroups.isMarked(directory)
    }
}

extension ControlGroups.Device {
    /// The whole disk behind a device node, or behind the file system of a path.
    static func probe(_ path: String, weighs: Bool) -> ControlGroups.Device {
        do throws(KernelError) {
            let file = try open(path, .path)
            let found = try status(of: file.number)
            let (major, minor) = found.isBlockDevice ? found.device : found.container
            guard major != 0 else { return .anonymous(fileSystemType(at: path)) }
            var name = "\(major):\(minor)"
            // io.max takes whole disks: a partition is a directory inside its disk's, sysfs(5).
            if Caller.exists("/sys/dev/block/\(name)/partition") {
                name = ControlGroups.words(at: "/sys/dev/block/\(name)/../dev").first ?? name
            }
            let numbers = name.split(separator: ":").map { UInt32($0) ?? 0 }
            guard numbers.count == 2 else { return .missing("not a block device") }
            return .disk(major: numbers[0], minor: numbers[1], sharing: weighs ? sharing(name) : .none)
        } catch {
            return .missing("\(error.call.name): \(error.errno.name) \(error.errno.words)")
        }
    }

    /// Every whole disk of the host, the largest first, sysfs(5).
    static func disks() -> [ControlGroups.Device] {
        var found: [(size: UInt64, device: ControlGroups.Device)] = []
        for name in blockDevices() {
            let numbers = ControlGroups.words(at: "/sys/block/\(name)/dev").first ?? ""
            let parts = numbers.split(separator: ":").compactMap { UInt32($0) }
            guard parts.count == 2 else { continue }
            let size = ControlGroups.words(at: "/sys/block/\(name)/size").first.flatMap { UInt64($0) } ?? 0
            found.append((size, .disk(major: parts[0], minor: parts[1], sharing: sharing(numbers))))
        }
        return found.sorted { $0.size > $1.size }.map(\.device)
    }

    private static func blockDevices() -> [String] {
        do throws(KernelError) {
            let place = try open("/sys/block", .read | .directory)
            return try entries(of: place.number)
        } catch {
            return []  // without sysfs no disk is known that shares its time, and a weight is refused
        }
    }

    /// A weight is taken by the kernel whether or not anything heeds it.
    private static func sharing(_ name: String) -> Sharing {
        if ControlGroups.words(at: "/sys/dev/block/\(name)/queue/scheduler").contains("[bfq]") { return .bfq }
        do throws(KernelError) {
            for line in try readText("/sys/fs/cgroup/io.cost.qos").split(separator: "\n") {
                let words = line.split(separator: " ")
                if let first = words.first, first == name, words.contains("enable=1") { return .cost }
            }
        } catch {
            return .none
        }
        return .none
    }

    /// The type of the mount that a path is on, for a message.
    private static func fileSystemType(at path: String) -> String {
        do throws(KernelError) {
            var best: (length: Int, type: String) = (0, "a file system")
            for line in try readText("/proc/self/mounts").split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count > 2, path.hasPrefix(fields[1]), fields[1].utf8.count >= best.length else { continue }
                best = (fields[1].utf8.count, String(fields[2]))
            }
            return best.type
        } catch {
            return "a file system"
        }
    }
}
