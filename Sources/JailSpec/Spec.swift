package import SpecFile

/// What a user wants of a jail: every section of the contract as plain values, decoded and validated, with no effect.
///
/// `Spec()` is the empty spec: the tightest usable jail. Whatever was written carries its position, so that each
/// operation planned from it, and each failure of that operation, can name the line.
package struct Spec: Equatable, Sendable {
    /// The argument vector; nil where neither the spec nor the command line gives one.
    package var command: Located<[String]>?
    /// The working directory inside the jail, absolute.
    package var cwd = Located("/")
    /// The jail's host name; nil keeps the host's.
    package var hostname: Located<String>?
    /// The wall-clock limit of the command.
    package var timeout: Located<Duration>?
    /// How long the command has between SIGTERM and SIGKILL.
    package var grace = Located(Duration.seconds(5))
    package var filesystem = Filesystem()
    package var namespaces = Namespaces()
    package var identity = Identity()
    package var capabilities = CapabilitySets()
    package var process = ProcessAttributes()
    package var environment = EnvironmentRules()
    package var rlimits: [ResourceLimit] = []
    /// `[limits]`, nil where the section is absent or empty.
    package var limits: Located<Limits>?
    /// `[seccomp]`, nil where the section is absent or empty.
    package var seccomp: Located<SeccompPolicy>?
    /// `[landlock]`, nil where the section is absent or empty.
    package var landlock: Located<LandlockPolicy>?
    package var network = Network()
    package var service = Service()

    package init() {}

    /// Whether the jail is in a network namespace that others are in: the host's, or one that is joined and may be the host's.
    package var sharesNetwork: Bool {
        if let written = namespaces.written[.net] { return !written.value.isNew }
        if case .host? = network.mode?.value { return true }
        return false
    }
}
