package import JailSpec
package import SpecFile

/// A directive of a foreign configuration: where it stands, and how it is written.
package struct Directive: Equatable, Sendable {
    package let position: Position
    /// The directive as messages and comments show it, on one line.
    package let words: String

    package init(_ words: String, at position: Position) {
        self.position = position
        self.words = words
    }

    /// `FILE:LINE words`, as the comments of a spec have it; without a line what the tool does unless told otherwise.
    package var reference: String { "\(position.file)\(position.line > 0 ? ":\(position.line)" : ":") \(words)" }
}

/// What is said of a directive besides the lines that it becomes.
package struct ImportNote: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// It means something else in a jail of immure's than it did.
        case warning
        /// It has no line, and what it restricted is not restricted.
        case lostRestriction
        /// It has no line, and what it opened or set stays closed or unset.
        case lost
        /// It holds without a line.
        case inForce
        /// It went into the lines of others, or has no effect among them.
        case part
        /// It is not about the jail: whoever reads the foreign configuration goes on doing it.
        case outside
    }

    package let kind: Kind
    package let directive: Directive
    /// The reason; empty where the directive says it all.
    package let reason: String
    /// What is said to be in force.
    package let claim: Claim

    package init(_ kind: Kind, _ directive: Directive, _ reason: String, _ claim: Claim = .nothing) {
        self.kind = kind
        self.directive = directive
        self.reason = reason
        self.claim = claim
    }
}

/// What is known of whoever would have started the foreign tool, which some of them ask: values, for the importer opens
/// nothing.
package struct ImportContext {
    /// Whether the caller is uid 0.
    package var isRoot: Bool
    /// The caller's group; nil where that is not known.
    package var group: UInt32?
    /// The capabilities that the caller may have; nil where that is not known, and root has all.
    package var permitted: CapabilitySet?
    /// The absolute current directory and the home; nil where a spec is to be written for anybody.
    package var currentDirectory: String?
    package var home: String?
    /// Reads a file that the configuration names, such as an include or a policy; nil where there is none.
    package var read: (_ path: String) -> [UInt8]?
    /// The names in a directory, for drop-ins; empty where there is none.
    package var list: (_ path: String) -> [String]
    /// Reads a descriptor to its end; nil where it is not open, or not to be read yet.
    package var readDescriptor: (_ number: Int32) -> [UInt8]?
    /// Whether a path is a symbolic link.
    package var isLink: (_ path: String) -> Bool
    /// Whether there is a file, or a directory, of that name.
    package var exists: (_ path: String) -> Bool
    package var isDirectory: (_ path: String) -> Bool
    /// Whether the caller may make a directory its current one; true where that is not known.
    package var mayEnter: (_ path: String) -> Bool
    /// Whether the spec stands where the configuration does, as it is launched without one.
    package var isInPlace = false

    package init(
        isRoot: Bool = false, group: UInt32? = nil, permitted: CapabilitySet? = nil, currentDirectory: String? = nil,
        home: String? = nil,
        read: @escaping (_ path: String) -> [UInt8]? = { _ in nil },
        list: @escaping (_ path: String) -> [String] = { _ in [] },
        readDescriptor: @escaping (_ number: Int32) -> [UInt8]? = { _ in nil },
        isLink: @escaping (_ path: String) -> Bool = { _ in false },
        exists: @escaping (_ path: String) -> Bool = { _ in false },
        isDirectory: @escaping (_ path: String) -> Bool = { _ in false },
        mayEnter: @escaping (_ path: String) -> Bool = { _ in true }
    ) {
        self.isRoot = isRoot
        self.group = group
        self.permitted = permitted
        self.currentDirectory = currentDirectory
        self.home = home
        self.read = read
        self.list = list
        self.readDescriptor = readDescriptor
        self.isLink = isLink
        self.exists = exists
        self.isDirectory = isDirectory
        self.mayEnter = mayEnter
    }
}

/// A file that is to be imported, as it was named, or the words of a command line.
package struct ImportSource: Sendable {
    package let name: String
    package let text: [UInt8]

    package init(name: String, text: [UInt8]) {
        self.name = name
        self.text = text
    }

    /// Its lines, whatever they end with.
    var lines: [String] {
        // By bytes: as characters CR and LF are one, which no LF splits.
        text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
    }
}
