import JailSpec

/// Looking names up.
package enum CallNames {
    /// Where in the table the names with a first byte begin, and where the last of them ends: half of the comparisons saved.
    private static let starts: [Int] = {
        var starts = [Int](repeating: callTable.count, count: 257)
        for index in callTable.indices.reversed() { starts[Int(callTable[index].name.utf8.first ?? 0)] = index }
        for letter in (0..<256).reversed() where starts[letter] > starts[letter + 1] {
            starts[letter] = starts[letter + 1]
        }
        return starts
    }()

    /// The index in the table; nil where no such call is on x86-64 or aarch64.
    static func index(of name: String) -> Int? {
        let table = callTable
        guard let letter = name.utf8.first else { return nil }
        let end = starts[Int(letter) + 1]
        var (low, high) = (starts[Int(letter)], end)
        while low < high {
            let middle = (low + high) / 2
            if table[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < end && table[low].name == name ? low : nil
    }

    /// The number of a call on this machine; nil where it has none of that name.
    package static func nativeNumber(of name: String) -> Int? {
        index(of: name).flatMap { callTable[$0].number(on: .native) }
    }

    /// Whether some architecture of Linux has a call of that name.
    package static func isKnown(_ name: String) -> Bool { index(of: name) != nil || foreignCalls.contains(name) }

    /// The call of a number; nil beyond the table and in its gaps.
    package static func name(of number: Int, on architecture: Architecture) -> String? {
        callTable.first { $0.number(on: architecture) == number }?.name
    }

    /// Every call of an architecture, by number.
    package static func all(on architecture: Architecture) -> [(number: Int, name: String)] {
        callTable.compactMap { call in call.number(on: architecture).map { ($0, call.name) } }
            .sorted { $0.number < $1.number }
    }

    /// The name that a mistyped one was most likely meant to be.
    package static func nearest(to name: String) -> String? {
        isGroup(name)
            ? JailSpec.nearest(name, groupNames) : JailSpec.nearest(name, callTable.map(\.name) + foreignCalls)
    }

    static func isGroup(_ name: String) -> Bool { name.utf8.first == UInt8(ascii: "@") }

    /// The names of the groups, in alphabetical order.
    package static var groupNames: [String] { (callGroups.map(\.name) + ["@known"]).sorted() }

    /// The members of a group with those of the groups in it, calls of other architectures left out; nil for no group.
    static func members(of group: String) -> [Int]? {
        if group == "@known" { return Array(callTable.indices) }
        guard let entry = callGroups.first(where: { $0.name == group }) else { return nil }
        var result: [Int] = []
        for member in entry.members {
            if isGroup(member) {
                result += members(of: member) ?? []
            } else if let index = index(of: member) {
                result.append(index)
            }
        }
        return result
    }

    /// What a group holds as systemd lists it, groups within first; nil for no group.
    package static func listing(of group: String) -> [String]? {
        group == "@known" ? callTable.map(\.name) : callGroups.first { $0.name == group }?.members
    }

    /// The groups that hold a call, directly or through another.
    package static func groups(of name: String) -> [String] {
        guard let index = index(of: name) else { return [] }
        return groupNames.filter { $0 != "@known" && members(of: $0)?.contains(index) == true }
    }
}
