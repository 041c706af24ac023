import SpecFile

/// What a watched command did with one path or address, or needs on the way to it.
package struct AccessRecord: Hashable, Sendable {
    package enum Act: String, CaseIterable, Sendable {
        /// A file that was there was opened to be read, a directory to be listed.
        case read, list
        /// A file that was there was opened to be written to, or its attributes were changed.
        case write
        /// A name that was not there: of a file, of a directory.
        case make, makeDirectory
        /// A name that was there, and was removed or given to another file.
        case replace
        /// A directory was only entered.
        case enter
        case execute
        /// A symbolic link on the way; `detail` is where it points.
        case link
        /// A socket: `path` is its address, `detail` a `Transport`; of one that is a file only its path.
        case connect, listen
        /// An address that a server gave for the name `detail`, which the program had asked for; the same of an address that no name
        /// opens to a jail.
        case named, namedWithin
        /// A variable of the caller's whose value led to a path that was used.
        case variable
        /// What only its owner, or root, may use in that way; `detail` is the owner's id and the act. Noted where root watches.
        case owned
        /// A program that the command itself had made was executed.
        case runMade
        /// Namespaces were made; `path` is the name of the program.
        case nest
    }

    package enum Transport: String, Sendable {
        /// What was not told apart; of a socket that listens TCP, too.
        case inet
        /// TCP, and whatever else is no datagram.
        case tcp
        /// Datagrams of UDP.
        case udp
        /// connect(2) of a datagram socket, which sends nothing: getaddrinfo(3) learns so by which route an address is reached.
        case aimed
        /// A name in the network namespace, unix(7).
        case unix
    }

    package let act: Act
    private let key: PathKey
    /// Absolute and without links, but of `link` itself; an address as 127.0.0.1:80, [::1]:80 or @NAME.
    package var path: String { key.path }
    package let detail: String

    package init(_ act: Act, _ path: String, _ detail: String = "") {
        self.act = act
        key = PathKey(path)
        self.detail = detail
    }

    /// Whether it is of a file, and not of an address.
    var isOfFile: Bool { path.utf8.first == UInt8(ascii: "/") }
}

extension AccessRecord: Comparable {
    package static func < (a: Self, b: Self) -> Bool {
        // Nearly always the path decides, and the rest need not be made.
        if a.path != b.path { return a.path < b.path }
        if a.key != b.key { return a.path.utf8.lexicographicallyPrecedes(b.path.utf8) }
        return (a.act.rawValue, a.detail) < (b.act.rawValue, b.detail)
    }
}
