/// The jobserver of the make(1) that started the launcher, as MAKEFLAGS tells it.
package struct Jobserver: Equatable, Sendable {
    package enum Access: Equatable, Sendable {
        /// The ends of a pipe, to read tokens from and to give them back to.
        case pipe(Int32, Int32)
        case fifo(String)
        /// make has closed the pipe for a recipe that it does not take for a make.
        case withheld

        /// What the command is to have open.
        var descriptors: [Int32] {
            if case .pipe(let read, let write) = self { read == write ? [read] : [read, write] } else { [] }
        }
    }

    package let access: Access
    /// The word of MAKEFLAGS that tells it, and that of the number of jobs.
    package let words: [String]
    /// Whether the descriptors are pipes, the path a FIFO; asked of the host.
    package var isThere = true
    /// Who may open the FIFO besides root; nil for everybody.
    package var owner: UInt32?

    /// nil where MAKEFLAGS names none. The last that is named counts, as it does for make; `--jobserver-fds` is what make
    /// before 4.2 called it.
    package init?(makeflags: String) {
        var access: Access?
        var (auth, jobs) = ("", "")
        for word in makeflags.split(separator: " ") {
            if word == "--" { break }
            if word.utf8.starts(with: "-j".utf8) { jobs = String(word) }
            let sign = word.utf8.firstIndex(of: UInt8(ascii: "=")) ?? word.endIndex
            guard word[..<sign] == "--jobserver-auth" || word[..<sign] == "--jobserver-fds", sign < word.endIndex else {
                continue
            }
            auth = String(word)
            access = Self.access(word[word.index(after: sign)...])
        }
        guard let access else { return nil }
        self.access = access
        words = jobs.isEmpty ? [auth] : [jobs, auth]
    }

    private static func access(_ value: Substring) -> Access? {
        if value.utf8.starts(with: "fifo:/".utf8) { return .fifo(String(value.dropFirst(5))) }
        let ends = value.split(separator: ",", omittingEmptySubsequences: false)
        guard ends.count == 2, let read = Int32(ends[0]), let write = Int32(ends[1]) else { return nil }
        return read < 0 || write < 0 ? .withheld : .pipe(read, write)
    }
}
