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
            return Danger(weight: Weight.readable, why: nil)
        }
        var danger = Danger(weight: writable ? Weight.writable : Weight.readable, why: nil)
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
        if parts.count == 2, parts[0] == "home" { consider(Weight.home.read, Weight.home.write, "all files of a user") }
        if parts.contains(where: { secrets.contains($0) }) {
            consider(Weight.secrets.read, Weight.secrets.write, "secrets or settings of a user")
        }
        if let name = parts.last, [".sock", ".socket", "_socket"].contains(where: { name.hasSuffix($0) }) {
            consider(Weight.socket, Weight.socket, "whoever listens there does what it is asked")
        }
        return danger
    }

    struct Danger {
        let weight: Int
        let why: String?

        func words(_ path: String, _ verb: String) -> String { "\(path) \(verb)" + (why.map { ": \($0)" } ?? "") }
    }

    /// The components of an absolute path by nothing but its text; /var/run is a link to /run wherever this is used, and
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
