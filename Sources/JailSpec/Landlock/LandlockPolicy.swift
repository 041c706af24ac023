package import SpecFile

/// `[landlock]`: paths inside the jail and what may be done below them, landlock(7).
package struct LandlockPolicy: Equatable, Sendable {
    package enum Scope: String, CaseIterable, Hashable, Sendable {
        case signal
        case abstractUnixSocket = "abstract_unix_socket"
    }

    /// What a list of paths allows. Also the order in which the lists are read.
    package enum Grant: String, CaseIterable, Equatable, Sendable {
        case ro, rx, rw, rwx

        /// Whether everything that the other allows is allowed by this one, and more.
        package func exceeds(_ other: Grant) -> Bool {
            switch (self, other) {
            case (.rwx, .rwx), (.ro, _): false
            case (.rwx, _), (_, .ro): true
            default: false
            }
        }

        package var writes: Bool {
            switch self {
            case .ro, .rx: false
            case .rw, .rwx: true
            }
        }
    }

    package struct Rule: Equatable, Sendable {
        package let grant: Grant
        package let path: Located<String>

        package init(_ grant: Grant, _ path: Located<String>) {
            self.grant = grant
            self.path = path
        }
    }

    /// The first of the four lists that is written, be it empty: from then on every access to a file is closed that no
    /// rule opens; nil where files are not restricted.
    package var files: Located<Grant>?
    /// The paths of all four lists.
    package var rules: [Rule] = []
    /// Ports; nil where the key is absent (not restricted).
    package var bindTCP: Located<[UInt16]>?
    package var connectTCP: Located<[UInt16]>?
    /// nil where the key is absent.
    package var scope: Located<[Located<Scope>]>?
    package var minimumABI: Located<Int>?

    package init() {}

    /// Whether a kernel without Landlock does as well: `scope = []` only takes back what would be closed.
    package var asksForNothing: Bool {
        files == nil && bindTCP == nil && connectTCP == nil && minimumABI == nil && scope?.value.isEmpty == true
    }
}
