/// The records of all runs that a spec was learned from, as the text of a file beside it: the next run adds to them.
package enum RecordFile {
    /// What the next run has a use for: the jail has the host's system without a line.
    package static func worthKeeping(_ records: Set<AccessRecord>, _ context: LearnContext) -> [AccessRecord] {
        let places = Places(context: context)
        return records.filter { record in
            switch record.act {
            case .read, .list, .execute: context.isTight || !places.isStanding(record.path)
            case .enter, .link: !places.isStanding(record.path)
            case .write, .make, .makeDirectory, .replace, .connect, .listen, .named, .namedWithin, .variable, .owned,
                .runMade, .nest:
                true
            }
        }
    }

    private static let head = "immure learn 1"

    /// A line for what the runs were started with, and one for each record, in their order.
    package static func text(_ records: [AccessRecord], _ context: LearnContext) -> String {
        var lines = [head, line(["command"] + context.command), line(["current", context.current])]
        if let tree = context.tree { lines.append(line(["tree", tree])) }
        if let home = context.home { lines.append(line(["home", home])) }
        lines += context.homes.map { line(["account", $0]) }
        if let base = context.base { lines.append(line(["base", base])) }
        if context.isRoot { lines.append(line(["root"])) }
        if context.leadsOut { lines.append(line(["network"])) }
        if let obstacle = context.obstacle { lines.append(line(["obstacle", obstacle])) }
        lines += context.servers.map { line(["server", $0]) }
        lines += context.metadata.map { line(["metadata", $0]) }
        if context.isTight { lines.append(line(["tight"])) }
        for grant in context.granted { lines.append(line(["granted", grant.path, grant.access.rawValue])) }
        lines += records.map { line($0) }
        return lines.map { $0 + "\n" }.joined()
    }

    /// nil for a text that is no such file.
    package static func read(_ text: String) -> (records: Set<AccessRecord>, context: LearnContext)? {
        let lines = text.split(separator: "\n")
        guard lines.first == head[...] else { return nil }
        var records: Set<AccessRecord> = []
        var context = LearnContext(command: [], current: "/")
        for line in lines.dropFirst() {
            let words = fields(line)
            guard words.count >= 2 || ["root", "network", "tight"].contains(words[0]) else { return nil }
            switch words[0] {
            case "command": context.command = Array(words[1...])
            case "current": context.current = words[1]
            case "tree": context.tree = words[1]
            case "home": context.home = words[1]
            case "account": context.homes.append(words[1])
            case "base": context.base = words[1]
            case "root": context.isRoot = true
            case "network": context.leadsOut = true
            case "obstacle": context.obstacle = words[1]
            case "server": context.servers.append(words[1])
            case "metadata": context.metadata.append(words[1])
            case "tight": context.isTight = true
            case "granted":
                guard words.count == 3, let access = LearnContext.Granted.Access(rawValue: words[2]) else { return nil }
                context.granted.append(.init(words[1], access))
            default:
                guard let record = record(line) else { return nil }
                records.insert(record)
            }
        }
        return (records, context)
    }

    /// A record as a line, and back; nil for what is none.
    package static func line(_ record: AccessRecord) -> String {
        line([record.act.rawValue, record.path, record.detail])
    }

    package static func record(_ line: Substring) -> AccessRecord? {
        let words = fields(line)
        guard words.count == 3, let act = AccessRecord.Act(rawValue: words[0]) else { return nil }
        return AccessRecord(act, words[1], words[2])
    }

    /// The fields of a line, whatever stands in them, and one of fields; without its end.
    package static func fields(_ line: Substring) -> [String] {
        line.split(separator: "\t", omittingEmptySubsequences: false).map(plain)
    }

    package static func line(_ words: [String]) -> String {
        words.map { word in
            guard word.utf8.contains(where: special) else { return word }
            var result = ""
            for scalar in word.unicodeScalars {
                switch scalar {
                case "\\": result += "\\\\"
                case "\n": result += "\\n"
                case "\t": result += "\\t"
                // A break after it would be one character with it.
                case "\r": result += "\\r"
                default: result.unicodeScalars.append(scalar)
                }
            }
            return result
        }.joined(separator: "\t")
    }

    private static func special(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t")
            || byte == UInt8(ascii: "\r")
    }

    private static func plain(_ word: Substring) -> String {
        var result = ""
        var isEscaped = false
        for scalar in word.unicodeScalars {
            if isEscaped {
                result.unicodeScalars.append(
                    scalar == "n" ? "\n" : scalar == "t" ? "\t" : scalar == "r" ? "\r" : scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
