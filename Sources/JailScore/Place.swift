import LinuxFacts

/// A place of the host that means more than its name says, and what it weighs to have it in the jail.
struct Place: Sendable {
    /// Whether what lies below it weighs as much.
    enum Reach { case itself, below }

    let path: String
    let reach: Reach
    /// In tenths of a point: readable, and writable.
    let read: Int
    let write: Int
    let why: String

    init(_ path: String, _ reach: Reach = .itself, read: Int, write: Int, _ why: String) {
        self.path = path
        self.reach = reach
        self.read = read
        self.write = write
        self.why = why
    }

    static let all: [Place] = [
        Place("/", read: 15, write: 85, "all of the host"),
        Place("/etc", .below, read: 1, write: 50, "who may do what on the host"),
        Place("/usr", .below, read: 1, write: 50, "programs that the host's root runs"),
        Place("/bin", .below, read: 1, write: 50, "programs that the host's root runs"),
        Place("/sbin", .below, read: 1, write: 50, "programs that the host's root runs"),
        Place("/lib", .below, read: 1, write: 50, "code that every program loads"),
        Place("/lib64", .below, read: 1, write: 50, "code that every program loads"),
        Place("/boot", .below, read: 2, write: 60, "the kernel that starts next"),
        Place("/home", read: 15, write: 40, "the files of every user"),
        Place("/root", .below, read: 15, write: 40, "the files of root"),
        Place("/var", read: 8, write: 30, "the state of every service"),
        Place("/var/lib", read: 8, write: 30, "the state of every service"),
        Place("/var/log", .below, read: 5, write: 8, "what the services of the host logged"),
        Place("/var/spool/cron", .below, read: 3, write: 50, "programs that the host starts by itself"),
        Place("/proc", .below, read: 30, write: 50, "the host's processes and settings"),
        Place("/sys", .below, read: 5, write: 30, "the host's devices and settings"),
        Place("/dev", .below, read: 6, write: 10, "devices of the host"),
        Place("/run", read: 40, write: 50, "the sockets of every service"),
        Place("/run/docker.sock", read: 80, write: 80, "the container engine does as root what it is asked there"),
        Place(
            "/run/containerd", .below, read: 80, write: 80, "the container engine does as root what it is asked there"),
        Place("/run/crio", .below, read: 80, write: 80, "the container engine does as root what it is asked there"),
        Place("/run/podman", .below, read: 70, write: 70, "the container engine does as root what it is asked there"),
        Place("/run/systemd", .below, read: 40, write: 50, "the service manager's sockets"),
        Place("/run/dbus", .below, read: 25, write: 25, "every service of the host's bus"),
        Place("/run/user", .below, read: 25, write: 30, "the sockets of a user's session"),
        Place("/tmp/.X11-unix", .below, read: 20, write: 20, "every key that is pressed and window that is shown"),
        Place("/tmp", read: 3, write: 8, "what every program of the host puts there"),
    ]

    /// Directories of a home that hold secrets, or what is executed when its owner logs in.
    static let secrets: Set<String> = [
        ".ssh", ".gnupg", ".aws", ".kube", ".docker", ".config", ".netrc", ".mozilla", ".password-store",
        ".git-credentials", ".local", ".bashrc", ".profile", ".bash_profile", ".zshrc", ".pgpass",
    ]

    /// What a path of the host weighs: that of the heaviest place in it or around it, but for those that something below
    /// the path stands in front of.
    static func danger(of path: String, writable: Bool, except covers: [[String]] = []) -> Danger {
        let parts = parts(of: path)
        if parts.count == 2, parts[0] == "dev", DeviceNode(rawValue: parts[1]) != nil {
            return Danger(weight: 1, why: nil)
        }
        var danger = writable ? Danger(weight: 5, why: nil) : Danger(weight: 1, why: nil)
        func consider(_ read: Int, _ write: Int, _ why: String) {
            let weight = writable ? write : read
            if weight > danger.weight { danger = Danger(weight: weight, why: why) }
        }
        for place in all {
            let own = Self.parts(of: place.path)
            if covers.contains(where: { own.starts(with: parts + $0) }) { continue }
            let contains = own.starts(with: parts)
            let lies = place.reach == .below && parts.starts(with: own)
            if contains || lies { consider(place.read, place.write, place.why) }
        }
        if parts.count == 2, parts[0] == "home" { consider(12, 35, "all files of a user") }
        if parts.contains(where: { secrets.contains($0) }) { consider(15, 30, "secrets or settings of a user") }
        if let name = parts.last, [".sock", ".socket", "_socket"].contains(where: { name.hasSuffix($0) }) {
            consider(10, 10, "whoever listens there does what it is asked")
        }
        return danger
    }

    struct Danger {
        let weight: Int
        let why: String?

        func words(_ path: String, _ verb: String) -> String { "\(path) \(verb)" + (why.map { ": \($0)" } ?? "") }
    }

    /// The components of an absolute path by its text alone; /var/run is a link to /run wherever this is used, and
    /// /proc/PID/root one to a root, most often the host's (proc(5)).
    static func parts(of path: String) -> [String] {
        var parts: [String] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
            if parts.count == 3, parts[0] == "proc", parts[2] == "root" { parts = [] }
            if parts == ["var", "run"] { parts = ["run"] }
        }
        return parts
    }
}
