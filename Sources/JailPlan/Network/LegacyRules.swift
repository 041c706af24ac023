/// What iptables-legacy-save(8) prints of the table `filter`, in the words in which nft(8) lists its rules: those tables are the kernel's
/// older ones, which nft(8) does not show.
package enum LegacyRules {
    /// No table of nft(8) has such a name.
    static let table = "iptables-legacy"

    package static func listing(_ saved: String) -> String {
        var policies: [(chain: String, policy: String)] = []
        var rules: [String: [[String]]] = [:]
        for line in saved.split(separator: "\n") {
            let words = tokens(line)
            if line.utf8.first == UInt8(ascii: ":"), words.count > 1 {
                policies.append((String(words[0].dropFirst()), words[1]))
            } else if words.count > 1, words[0] == "-A" {
                rules[words[1], default: []].append(Array(words.dropFirst(2)))
            }
        }
        let chains = Set(policies.map(\.chain))
        var lines = ["table ip \(table) {"]
        for (chain, policy) in policies {
            lines.append("\tchain \(chain) {")
            if policy != "-" {
                lines.append("\t\ttype filter hook \(chain.lowercased()) priority 0; policy \(policy.lowercased());")
            }
            for rule in rules[chain] ?? [] { lines.append("\t\t" + translated(rule, chains)) }
            lines.append("\t}")
        }
        return (lines + ["}"]).map { $0 + "\n" }.joined()
    }

    /// Words, as iptables-save(8) quotes them.
    private static func tokens(_ line: Substring) -> [String] {
        var (found, word, isQuoted, isEscaped): ([String], String, Bool, Bool) = ([], "", false, false)
        for character in line {
            if isEscaped {
                word.append(character)
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == " ", !isQuoted {
                found.append(word)
                word = ""
            } else {
                word.append(character)
            }
        }
        return (found + [word]).filter { !$0.isEmpty }
    }

    /// Anything that is not known here is a word that no rule of nft(8) begins with: it may accept some, and nothing is closed by it.
    private static func translated(_ words: [String], _ chains: Set<String>) -> String {
        var (result, isNot, at): ([String], Bool, Int) = ([], false, 0)
        func value() -> String { at < words.count ? words[at] : "" }
        while at < words.count {
            let word = words[at]
            at += 1
            switch word {
            case "!":
                isNot = true
                continue
            case "-i", "-o":
                // `imm+` is every name that begins so.
                let name = value().hasSuffix("+") ? value().dropLast() + "*" : value()[...]
                result += [word == "-i" ? "iifname" : "oifname"] + (isNot ? ["!="] : []) + ["\"\(name)\""]
            case "--ctstate" where !isNot, "--state" where !isNot: result += ["ct", "state", value().lowercased()]
            // A packet of TCP is what is asked about; `icmp` is none.
            case "-p": if (value() == "tcp" || value() == "all") == isNot { result.append("icmp") }
            case "-m": if !["conntrack", "state", "comment", "tcp"].contains(value()) { result.append("match") }
            case "--comment": break
            case "-j", "-g": return (result + verdict(value(), word == "-g", chains)).joined(separator: " ")
            default:
                result.append("match")
                if !word.hasPrefix("-") { at -= 1 }
            }
            at += 1
            isNot = false
        }
        return result.joined(separator: " ")
    }

    private static func verdict(_ target: String, _ isGoto: Bool, _ chains: Set<String>) -> [String] {
        switch target {
        case "ACCEPT", "DROP", "REJECT", "RETURN", "QUEUE": [target.lowercased()]
        case "NFQUEUE": ["queue"]
        case _ where chains.contains(target): [isGoto ? "goto" : "jump", target]
        // One that marks, counts or logs, and goes on.
        default: ["match"]
        }
    }
}
