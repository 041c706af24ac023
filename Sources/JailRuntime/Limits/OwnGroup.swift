import Kernel

/// Where this process is in the version 2 hierarchy, now.
enum OwnGroup {
    /// The directories where systemd and others mount cgroup2; elsewhere it is looked for.
    private static let usual = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]

    /// Where cgroup2 is mounted; nil where it is not.
    static func mount() -> String? {
        for path in usual where isCgroup2(path) { return path }
        do throws(KernelError) {
            for line in try readText("/proc/self/mounts").split(separator: "\n") {
                let fields = line.split(separator: " ")
                if fields.count > 2, fields[2] == "cgroup2" { return String(fields[1]) }
            }
        } catch {
            return nil
        }
        return nil
    }

    private static func isCgroup2(_ path: String) -> Bool {
        do throws(KernelError) {
            let directory = try open(path, .path | .directory)
            return try fileSystemMagic(of: directory.number) == FileSystemMagic.cgroup2
        } catch {
            return false
        }
    }

    /// The path below the mount, and the controllers that version 1 has.
    static func membership() -> (path: String?, old: [String]) {
        var result: (path: String?, old: [String]) = (nil, [])
        do throws(KernelError) {
            for line in lines(try readBytes("/proc/self/cgroup")) {
                if line.utf8.starts(with: "0::".utf8) {
                    result.path = String(decoding: Array(line.utf8)[3...], as: UTF8.self)
                } else {
                    let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                    if fields.count == 3 { result.old += fields[1].split(separator: ",").map(String.init) }
                }
            }
        } catch {
            return result
        }
        return result
    }

    /// The directory of the own group.
    static func directory() throws(Failure) -> String {
        guard let mount = mount(), let path = membership().path else {
            throw Failure(.scopeRefused, text: "no cgroup2")
        }
        return path == "/" ? mount : mount + path
    }
}
