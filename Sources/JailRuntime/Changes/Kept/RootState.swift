import Kernel
import SpecFile

/// What the top directory of an upper, or of an original, is: it has no name that could be new or gone, so that only a comparison with what
/// it was before the first launch tells whether the jail has changed it.
struct RootState {
    let permissions: UInt32
    /// User and group; nil in a record of a version that did not write them.
    var owners: [UInt64]?
    /// Those that a person has set; nil in such a record as well.
    var attributes: [String: [UInt8]]?

    init(of directory: Int32) throws(KernelError) {
        let found = try entryStatus(of: directory)
        permissions = found.permissions
        owners = [UInt64(found.owner), UInt64(found.group)]
        attributes = try personalAttributes(of: directory)
    }

    /// The same, without attributes that this process may not read: xattr(7).
    static func known(of directory: Int32) throws(KernelError) -> RootState {
        do throws(KernelError) {
            return try RootState(of: directory)
        } catch {
            guard error.errno == .accessDenied else { throw error }
            let found = try entryStatus(of: directory)
            return RootState(
                permissions: found.permissions, owners: [UInt64(found.owner), UInt64(found.group)], attributes: nil)
        }
    }

    init(permissions: UInt32, owners: [UInt64]?, attributes: [String: [UInt8]]?) {
        (self.permissions, self.owners, self.attributes) = (permissions, owners, attributes)
    }

    /// What makes it another than this: only what is known of both.
    func parts(otherThan state: RootState) -> RootParts {
        var result: RootParts = permissions == state.permissions ? [] : .mode
        if let owners, let other = state.owners, owners != other { result.insert(.owner) }
        if let attributes, let other = state.attributes, attributes != other { result.insert(.attributes) }
        return result
    }

    /// Makes a directory what this was, that another jail may have it as its root.
    func restore(_ directory: Int32) throws(KernelError) {
        try setPermissions(ofPath: directory, permissions | 0o700)
        let opened = try Kernel.open(".", at: directory, .read | .directory)
        let parts = parts(otherThan: try RootState(of: opened.number))
        if parts.contains(.owner), let owners {
            try setOwner(
                of: opened.number, user: UInt32(truncatingIfNeeded: owners[0]),
                group: UInt32(truncatingIfNeeded: owners[1]))
        }
        if parts.contains(.attributes), let attributes { try setPersonalAttributes(attributes, of: opened.number) }
        try setPermissions(opened.number, permissions)
    }
}

/// What of a root the jail has changed.
struct RootParts: OptionSet {
    let rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }
    static let mode = RootParts(rawValue: 1)
    static let owner = RootParts(rawValue: 2)
    static let attributes = RootParts(rawValue: 4)
}

/// Gives a file these extended attributes of those that a person sets, and no others.
func setPersonalAttributes(_ wanted: [String: [UInt8]], of file: Int32) throws(KernelError) {
    let found = try personalAttributes(of: file)
    for name in found.keys where wanted[name] == nil { try removeExtendedAttribute(name, of: file) }
    for (name, value) in wanted where found[name] != value { try setExtendedAttribute(name, value, of: file) }
}

extension RootState {
    /// No record gets longer: of a root with more attributes they are not compared.
    private static let longest = 64 << 10

    /// Each attribute as its name, `=` and its bytes in hexadecimal digits.
    static func json(_ attributes: [String: [UInt8]]) -> [String]? {
        guard attributes.values.reduce(0, { $0 + $1.count }) <= longest else { return nil }
        return attributes.sorted { $0.key < $1.key }.map { name, value in
            name + "=" + hexDigits(value)
        }
    }

    /// What that has written; nil for anything else.
    static func attributes(_ rows: [String]) -> [String: [UInt8]]? {
        var result: [String: [UInt8]] = [:]
        for row in rows {
            guard let place = row.utf8.lastIndex(of: UInt8(ascii: "=")) else { return nil }
            guard let value = bytes(ofDigits: row[row.utf8.index(after: place)...]) else { return nil }
            result[String(row[..<place])] = value
        }
        return result
    }
}
