/// The boolean expressions of kafel's rules: a list of alternatives, of each of which all must hold.
struct KafelExpressions {
    let tokens: [String]
    var place: Int
    let arguments: [String]
    let constants: [String: String]

    private var next: String? { place < tokens.count ? tokens[place] : nil }

    private mutating func take() throws(Kafel.Fault) -> String {
        guard let token = next else { throw Kafel.Fault(message: "the end of the policy within an expression") }
        place += 1
        return token
    }

    /// Alternatives by commas or `||`.
    mutating func expression(until end: String) throws(Kafel.Fault) -> [[ArgumentCondition]] {
        var result = try conjunction()
        while true {
            let token = try take()
            if token == end { return result }
            guard token == "||" || token == "," else { throw Kafel.Fault(message: "\(token) within an expression") }
            result += try conjunction()
        }
    }

    private mutating func conjunction() throws(Kafel.Fault) -> [[ArgumentCondition]] {
        var result = try term()
        while next == "&&" {
            place += 1
            let right = try term()
            result = result.flatMap { left in right.map { left + $0 } }
            guard result.count <= 256 else { throw Kafel.Fault(message: "an expression of too many alternatives") }
        }
        return result
    }

    private mutating func term() throws(Kafel.Fault) -> [[ArgumentCondition]] {
        if next == "!" {
            place += 1
            return ArgumentCondition.negated(try term())
        }
        if next == "(", !isMask() {
            place += 1
            return try expression(until: ")")
        }
        return [[try comparison()]]
    }

    /// Whether the parenthesis holds an argument and a mask.
    private func isMask() -> Bool { place + 2 < tokens.count && tokens[place + 2] == "&" }

    private mutating func comparison() throws(Kafel.Fault) -> ArgumentCondition {
        let hasParenthesis = next == "("
        if hasParenthesis { place += 1 }
        let name = try take()
        guard let index = arguments.firstIndex(of: name) else {
            throw Kafel.Fault(message: "no argument \(name) is known of this call")
        }
        var mask: String?
        if next == "&" {
            place += 1
            mask = try value()
        }
        if hasParenthesis {
            let token = try take()
            guard token == ")" else { throw Kafel.Fault(message: "\(token) where ) must stand") }
        }
        guard let op = next, ["==", "!=", "<", "<=", ">", ">="].contains(op) else {
            if let mask { return ArgumentCondition(index: index, op: "&", value: mask) }
            throw Kafel.Fault(message: "no comparison after \(name)")
        }
        place += 1
        let value = try value()
        guard let mask else { return ArgumentCondition(index: index, op: op, value: value) }
        return try masked(index, mask, op, value)
    }

    /// A mask that is compared: a spec asks whether a bit of it is set.
    private func masked(_ index: Int, _ mask: String, _ op: String, _ value: String) throws(Kafel.Fault)
        -> ArgumentCondition
    {
        let isOneBit = UInt64(mask).map { $0.nonzeroBitCount == 1 } ?? !mask.contains("|")
        if value == "0", op == "==" || op == "!=" {
            return ArgumentCondition(index: index, op: op == "!=" ? "&" : "!&", value: mask)
        }
        if value == mask, isOneBit, op == "==" || op == "!=" {
            return ArgumentCondition(index: index, op: op == "==" ? "&" : "!&", value: mask)
        }
        throw Kafel.Fault(message: "(argument & \(mask)) \(op) \(value): a spec cannot say it")
    }

    private mutating func value() throws(Kafel.Fault) -> String {
        var words = [try constant(try take())]
        while next == "|" {
            place += 1
            words.append(try constant(try take()))
        }
        let numbers = words.compactMap { UInt64($0) }
        return numbers.count == words.count ? String(numbers.reduce(0, |)) : words.joined(separator: "|")
    }

    private func constant(_ word: String) throws(Kafel.Fault) -> String {
        let text = constants[word] ?? word
        if let digits = text.after("0x"), let number = UInt64(digits, radix: 16) { return String(number) }
        if text.hasPrefix("0"), text.count > 1, let number = UInt64(text, radix: 8) { return String(number) }
        return text
    }
}

/// Names of kafel's that are not those of a spec, and the arguments of calls that policies look into.
enum KafelNames {
    static let calls = [
        "newstat": "stat", "newlstat": "lstat", "newfstat": "fstat", "newuname": "uname", "sendfile64": "sendfile",
        "umount": "umount2", "sysctl": "_sysctl", "mmap2": "mmap",
    ]

    static let arguments: [String: [String]] = [
        "socket": ["family", "type", "protocol"], "socketpair": ["family", "type", "protocol", "usockvec"],
        "mmap": ["addr", "len", "prot", "flags", "fd", "off"], "mprotect": ["start", "len", "prot"],
        "clone": ["clone_flags", "newsp", "parent_tidptr", "child_tidptr", "tls"], "ioctl": ["fd", "cmd", "arg"],
        "open": ["filename", "flags", "mode"], "openat": ["dfd", "filename", "flags", "mode"],
        "read": ["fd", "buf", "count"], "write": ["fd", "buf", "count"], "close": ["fd"],
        "prctl": ["option", "arg2", "arg3", "arg4", "arg5"], "arch_prctl": ["option", "arg2"], "kill": ["pid", "sig"],
        "tgkill": ["tgid", "pid", "sig"], "tkill": ["pid", "sig"], "personality": ["personality"],
        "fcntl": ["fd", "cmd", "arg"], "unshare": ["unshare_flags"], "setns": ["fd", "nstype"],
        "madvise": ["start", "len_in", "behavior"], "futex": ["uaddr", "op", "val", "utime", "uaddr2", "val3"],
        "ptrace": ["request", "pid", "addr", "data"], "prlimit64": ["pid", "resource", "new_rlim", "old_rlim"],
        "setrlimit": ["resource", "rlim"], "setsockopt": ["fd", "level", "optname", "optval", "optlen"],
        "getsockopt": ["fd", "level", "optname", "optval", "optlen"], "dup2": ["oldfd", "newfd"], "dup": ["fildes"],
        "lseek": ["fd", "offset", "origin"], "chmod": ["filename", "mode"], "fchmod": ["fd", "mode"],
        "fchmodat": ["dfd", "filename", "mode"], "execveat": ["fd", "filename", "argv", "envp", "flags"],
        "sched_setscheduler": ["pid", "policy", "param"], "access": ["filename", "mode"],
    ]
}
