/// What of the caller's terminal is carried between it and the jail, in which no descriptor of it is.
package enum TerminalUse: String, Equatable, Sendable {
    /// Both ways: standard input and output are the terminal, and the jail's own stands for it.
    case whole
    /// Standard input is the terminal and standard output is not, as in `run … | less`: a line is read when the jail asks for one.
    case lines
    /// Standard output or error is the terminal and standard input is not, as in `… | run less`: what is typed is for others as well, and
    /// for the jail while it asks for it at a terminal of its own.
    case keys
    /// Only what the jail writes: no terminal is wanted, or nobody could hear the jail ask.
    case output
    /// There is no terminal: what the jail's own shows goes to standard output.
    case log

    /// Whether anything is read of the caller's.
    package var isRead: Bool {
        switch self {
        case .whole, .lines, .keys: true
        case .output, .log: false
        }
    }
}
