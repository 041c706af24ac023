package import SpecFile

/// What a file of OCI's `seccomp` block says, or of the default profile of a container engine, which adds to it what only
/// holds under circumstances.
package struct SeccompProfile: Equatable, Sendable {
    /// The circumstances under which an entry counts.
    package struct Circumstances: Equatable, Sendable {
        package var capabilities: CapabilitySet = []
        /// As Go calls them: amd64, arm64.
        package var architectures: [String] = []
        package var kernel: KernelVersion?

        package init() {}
    }

    /// A comparison of an argument; for a masked one the mask as well.
    package struct Comparison: Equatable, Sendable {
        package var index: Int
        package var op: SeccompPolicy.Argument.Operator
        package var value: Located<UInt64>
        package var mask: UInt64?

        package init(index: Int, op: SeccompPolicy.Argument.Operator, value: Located<UInt64>, mask: UInt64? = nil) {
            self.index = index
            self.op = op
            self.value = value
            self.mask = mask
        }
    }

    /// An element of `syscalls`.
    package struct Entry: Equatable, Sendable {
        package var names: [Located<String>]
        package var action: SeccompPolicy.Action
        package var comparisons: [Comparison]
        /// All of these must hold.
        package var includes = Circumstances()
        /// None of these may hold.
        package var excludes = Circumstances()

        package init(names: [Located<String>], action: SeccompPolicy.Action, comparisons: [Comparison] = []) {
            self.names = names
            self.action = action
            self.comparisons = comparisons
        }
    }

    /// An element of `archMap`: an architecture with those whose calls would be let through beside its own.
    package struct Companion: Equatable, Sendable {
        package var architecture: Located<String>
        package var others: [Located<String>]

        package init(architecture: Located<String>, others: [Located<String>]) {
            self.architecture = architecture
            self.others = others
        }
    }

    package var defaultAction: Located<SeccompPolicy.Action>
    package var entries: [Entry]
    /// The architectures that the file is for, as libseccomp names them.
    package var architectures: [Located<String>]
    package var companions: [Companion]

    package init(defaultAction: Located<SeccompPolicy.Action>) {
        self.defaultAction = defaultAction
        entries = []
        architectures = []
        companions = []
    }
}

/// The first two numbers of a kernel's release.
package struct KernelVersion: Equatable, Sendable {
    package let major: Int
    package let minor: Int

    package init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// The beginning of a release such as `6.1.0-37-amd64`; nil for what does not begin so.
    package init?(release: String) {
        var numbers: [Int] = []
        var number: Int?
        for byte in release.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard number ?? 0 < 100_000 else { return nil }
                number = (number ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
                continue
            case UInt8(ascii: "."):
                if let number { numbers.append(number) }
                number = nil
                if numbers.count < 2 { continue }
            default: break
            }
            break
        }
        if let number { numbers.append(number) }
        guard numbers.count >= 2 else { return nil }
        self.init(major: numbers[0], minor: numbers[1])
    }

    package func isAtLeast(_ other: Self) -> Bool {
        major != other.major ? major > other.major : minor >= other.minor
    }
}
