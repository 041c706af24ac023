import JailSpec

/// What a group of the host may, as far as its name or number tells.
struct Group: Sendable {
    let name: String
    /// The number that it has on every Debian (base-passwd); nil where the package takes the next free one.
    let id: UInt32?
    /// In tenths of a point.
    let weight: Int
    let why: String

    init(_ name: String, _ id: UInt32? = nil, _ weight: Int, _ why: String) {
        self.name = name
        self.id = id
        self.weight = weight
        self.why = why
    }

    /// Numbers that packages get in the order of their installation: that of docker is one of them.
    private static let dynamic: ClosedRange<UInt32> = 100...999

    /// The weight of being in it, and why; nil for that which no file should belong to.
    static func danger(of account: Identity.Account) -> (weight: Int, why: String)? {
        if account.isNobody { return nil }
        switch account {
        case .name(let name):
            guard let group = powerful.first(where: { $0.name == name }) else {
                return (Weight.group, "the files of that group")
            }
            return (group.weight, group.why)
        case .id(let id):
            return danger(from: id, count: 1)
        }
    }

    /// The heaviest of so many groups of the host in a row.
    static func danger(from first: UInt32, count: UInt32) -> (weight: Int, why: String)? {
        guard count > 0 else { return nil }
        let last = first.addingReportingOverflow(count - 1)
        let range = first...(last.overflow ? UInt32.max : last.partialValue)
        let known = powerful.filter { $0.id.map(range.contains) ?? false }.max { $0.weight < $1.weight }
        if let known, known.weight > Weight.groupOfAPackage { return (known.weight, known.why) }
        if range.overlaps(dynamic) {
            return (Weight.groupOfAPackage, "what the group of some package may, docker's perhaps")
        }
        if let known { return (known.weight, known.why) }
        if range == 65534...65534 { return nil }
        // Beyond the host's own are subordinate ids, which others' containers have (subgid(5)).
        return first <= 65535
            ? (Weight.group, "the files of that group")
            : (Weight.perhapsAGroup, "the files of that group, if there are any")
    }
}

extension Identity.Account {
    /// The user or group that no file of the host should belong to.
    var isNobody: Bool {
        switch self {
        case .id(let id): id == 65534
        case .name(let name): name == "nobody" || name == "nogroup"
        }
    }

    /// As it was written.
    var text: String {
        switch self {
        case .id(let id): "\(id)"
        case .name(let name): name
        }
    }
}
