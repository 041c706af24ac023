package import SpecFile

/// `[seccomp]`: which system calls the command may make.
package struct SeccompPolicy: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        case allow, kill, log, trap
        /// The call fails with that errno, by its kernel number.
        case errno(Int32)
    }

    package enum Profile: Equatable, Sendable {
        case `default`, strict, none
        /// An OCI seccomp file, as an absolute path.
        case file(String)
    }

    /// Through which of the kernel's doors calls come: the machine's own, and on x86-64 those of i386 and of x32.
    package enum ABI: String, CaseIterable, Equatable, Sendable {
        case native, x86, x32
    }

    package struct Argument: Equatable, Sendable {
        package enum Operator: String, CaseIterable, Equatable, Sendable {
            case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<="
            case greater = ">", greaterOrEqual = ">=", masked = "&"
        }
        package var index: Int
        package var op: Operator
        /// A number or a symbolic name of the kernel's, as written.
        package var value: Located<String>

        package init(index: Int, op: Operator, value: Located<String>) {
            self.index = index
            self.op = op
            self.value = value
        }
    }

    package struct Rule: Equatable, Sendable {
        package var call: Located<String>
        package var action: Action
        package var arguments: [Argument]

        package init(call: Located<String>, action: Action, arguments: [Argument]) {
            self.call = call
            self.action = action
            self.arguments = arguments
        }
    }

    /// A rule of which a part cannot be read: no rule, but what its other parts name is looked up all the same.
    package struct BrokenRule: Equatable, Sendable {
        package var call: Located<String>?
        package var arguments: [Argument]
        /// Values of arguments that are not whole themselves.
        package var values: [Located<String>]
    }

    package var profile: Located<Profile>?
    /// What the file says that `profile` names; nil until it has been read.
    package var file: SeccompProfile?
    package var defaultAction: Located<Action>?
    package var allow: [Located<String>] = []
    package var deny: [Located<String>] = []
    package var log: [Located<String>] = []
    package var kill: [Located<String>] = []
    package var rules: [Rule] = []
    /// Where there is any, the spec has faults.
    package var brokenRules: [BrokenRule] = []
    /// Whose calls may be made; nil: the machine's own only.
    package var abis: Located<[ABI]>?
    /// Descriptors of the caller that compiled filters are read from.
    package var programs: Located<[Int32]>?

    package init() {}
}
