/// What `immure run` is asked for: the one value that both parsers make.
struct RunRequest: Equatable {
    var spec: String?
    /// The arguments of `--set`, in their order.
    var overrides: [String] = []
    /// The argument of `--result`.
    var result: String?
    /// The argument of `--changes`.
    var changes: String?
    /// Whether what was verified is to be listed before the command runs.
    var explains = false
    /// How much is told at the end of what the jail kept from the command; nil for nothing, and then nobody looks.
    var reasons: Reasons?

    enum Reasons: Equatable { case likely, all }

    /// The words after the spec, or after `--`.
    var words: [String] = []
    /// Whether the words stood after `--` and so replace the spec's command; else they are appended to it, as the
    /// arguments of a script are.
    var replaces = false
}
