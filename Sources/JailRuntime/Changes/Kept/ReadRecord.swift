import Kernel
import SpecFile

// The record from its JSON.

extension OverlayRecord {
    init?(_ node: Node) {
        guard case .table(let table) = node.value else { return nil }
        func integer(_ node: Node?) -> Int64? { if case .integer(let value)? = node?.value { value } else { nil } }
        func rows(_ key: String) -> [[UInt64]]? {
            guard case .array(let rows)? = table[key]?.node.value else { return nil }
            var result: [[UInt64]] = []
            for row in rows {
                guard case .array(let cells) = row.value else { return nil }
                var numbers: [UInt64] = []
                for cell in cells {
                    guard let number = integer(cell), number >= 0 else { return nil }
                    numbers.append(UInt64(number))
                }
                result.append(numbers)
            }
            return result
        }
        guard integer(table["version"]?.node) == 1, let start = integer(table["start"]?.node),
            let launched = integer(table["launched"]?.node), let process = integer(table["process"]?.node),
            let lowers = rows("lowers"), lowers.allSatisfy({ $0.count == 2 }), !lowers.isEmpty,
            let users = rows("users"), let groups = rows("groups"),
            (users + groups).allSatisfy({ $0.count == 3 }), let owner = rows("owner")?.first, owner.count == 2,
            case .string(let attributes)? = table["attributes"]?.node.value,
            attributes == "user" || attributes == "trusted",
            case .boolean(let isApplying)? = table["applying"]?.node.value
        else { return nil }
        var upper: UInt64?
        if let node = table["upper"]?.node {
            guard let number = integer(node), number >= 0 else { return nil }
            upper = UInt64(number)
        }
        var roots: (upper: RootState, lower: RootState)?
        if table["modes"] != nil {
            guard let row = rows("modes")?.first, row.count == 2, row.allSatisfy({ $0 <= 0o7777 }) else { return nil }
            let owners = rows("root_owners") ?? []
            guard owners.isEmpty || owners.count == 2 && owners.allSatisfy({ $0.count == 2 }),
                let attributes = Self.attributes(table["root_attributes"]?.node)
            else { return nil }
            func state(_ place: Int) -> RootState {
                RootState(
                    permissions: UInt32(row[place]), owners: owners.isEmpty ? nil : owners[place],
                    attributes: attributes.isEmpty ? nil : attributes[place])
            }
            roots = (state(0), state(1))
        }
        var overrides: Bool?
        if case .boolean(let known)? = table["overrides"]?.node.value { overrides = known }
        guard let points = Self.texts(table["points"]?.node) else { return nil }
        var draft: String?
        if case .string(let name)? = table["draft"]?.node.value {
            guard name.hasPrefix(Self.draftPrefix), !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
            draft = name
        }
        self.init(
            start: start, launched: launched, process: Int(process), lowers: lowers, upper: upper,
            roots: roots, attributes: attributes,
            users: users, groups: groups, owner: owner, overrides: overrides, points: points,
            isApplying: isApplying, draft: draft)
    }

    /// Those of upper and lower; none where they have not been written, nil where they have been by nobody known.
    private static func attributes(_ node: Node?) -> [[String: [UInt8]]]? {
        guard let node else { return [] }
        guard case .array(let lists) = node.value, lists.count == 2 else { return nil }
        var result: [[String: [UInt8]]] = []
        for list in lists {
            guard let texts = Self.texts(list), let found = RootState.attributes(texts) else { return nil }
            result.append(found)
        }
        return result
    }

    /// The texts of a list; none where it has not been written, nil where that is no such list.
    private static func texts(_ node: Node?) -> [String]? {
        guard let node else { return [] }
        guard case .array(let rows) = node.value else { return nil }
        var result: [String] = []
        for row in rows {
            guard case .string(let text) = row.value else { return nil }
            result.append(text)
        }
        return result
    }
}
