import SpecFile

/// Something that a jail kept from its command, as `immure run --why` tells it.
package struct Denial: Equatable, Sendable {
    /// In the order in which they explain a failure: what was to be changed, before what was only looked for.
    package enum Kind: UInt8, CaseIterable, Sendable {
        /// A limit that was reached.
        case limit
        case readOnly, notExecuted, notADevice, landlock, hidden, closed, busy, network, loopback, refused, place,
            missing
        /// Of two names that are to be one.
        case crossing
        /// A call that this kernel might as well not have, which programs are prepared for.
        case absent
        /// What is missing in the jail, and on the host as well.
        case nowhere
        /// What was asked for it did not answer, and nothing was looked at from then on.
        case silent
        /// Nothing that was kept from the command as yet: an address that it was to connect to, in a network with rules.
        case tried
        /// No denial: the process named goes on, and has done without what it missed.
        case wentOn
        /// No denial: a name that was answered with addresses.
        case answered
    }

    package let kind: Kind
    /// The path in the jail, the address, or the call, as the command has it.
    package let subject: String
    /// What there is to say of it besides; empty for nothing.
    package var remark = ""
    /// The line of the spec that would open it; nil where none does.
    package var line: String?
    /// What is to be done where no line is to be added.
    package var advice: String?
    /// The call, and the program that made it.
    var call = ""
    var program = ""
    /// The process that missed what the host has not either, and whether it went on all the same.
    var process: Int32 = 0
    var isDoneWithout = false

    init(_ kind: Kind, _ subject: String, remark: String = "", line: String? = nil, advice: String? = nil) {
        (self.kind, self.subject, self.remark, self.line, self.advice) = (kind, subject, remark, line, advice)
    }

    /// That a process goes on.
    static func wentOn(_ process: Int32) -> Denial {
        var denial = Denial(.wentOn, "")
        denial.process = process
        return denial
    }

    /// That a name was answered with addresses, in words.
    init(_ answer: NamesSeen.Answer) {
        self.init(
            .answered, answer.name, remark: answer.addresses.map { "\($0)" }.joined(separator: " "))
    }

    /// `/srv/x/y is missing in the jail, and there on the host (openat, cat): filesystem.ro = ["/srv/x/y"]`
    package var words: String {
        let name = Self.named(subject)
        let what =
            switch kind {
            case .limit: "\(name) was reached"
            case .readOnly: "\(name) is read-only in the jail"
            case .notExecuted: "\(name) is on a mount of the jail that nothing is executed from"
            case .notADevice: "\(name) is on a mount of the jail that no device is opened on"
            case .landlock: "\(name) is closed by Landlock"
            case .hidden: "\(name) is hidden in the jail"
            case .closed: "\(name) may not be used by the command's user"
            case .busy: "\(name) is mounted in the jail, and cannot be renamed or replaced"
            case .network, .tried: "\(name) is out of the jail's network"
            case .loopback: "\(name) is the jail's own, where nobody listens, and somebody does on the host's"
            case .refused: "\(name) is refused by the filter"
            case .place: "\(name) is there in the caller's directory, and the command is started in another"
            case .missing: "\(name) is missing in the jail, and there on the host"
            case .crossing: "\(name) is on another mount of the jail than its new name"
            case .absent: "\(name) is answered as if the kernel did not have it"
            case .nowhere: "\(name) is missing in the jail, and on the host as well"
            case .wentOn, .answered: name
            case .silent: "no answer came for \(name), and nothing was looked at from then on"
            }
        let said = remark.isEmpty ? what : what + ", " + remark
        if kind == .silent { return said }
        let end = line ?? advice ?? "no line opens it"
        return call.isEmpty ? "\(said): \(end)" : "\(said) (\(call), \(Self.named(program))): \(end)"
    }

    /// The command chooses names, and could forge the rest of the line by one: what is more than a plain word stands in quotes.
    private static func named(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "/._-+@%:[]~#".utf8.contains(byte)
            }
        }
        return isPlain && text.utf8.count <= 200 ? text : quoted(text)
    }

    /// The most likely cause of a failure first: of one kind what came last.
    package static func sorted(_ denials: [Denial]) -> [Denial] {
        denials.reversed().enumerated().sorted {
            ($0.element.kind.rawValue, $0.offset) < ($1.element.kind.rawValue, $1.offset)
        }.map(\.element)
    }
}

extension Denial.Kind {
    /// Whether it says by itself that something was kept from the command.
    var isDenial: Bool {
        switch self {
        case .tried, .wentOn, .answered: false
        default: true
        }
    }
}

extension Denial {
    /// As a message between processes: what stands in it has no byte 0.
    var bytes: [UInt8] {
        let fields = [subject, remark, line ?? "", advice ?? "", call, program, "\(process)"]
        return [kind.rawValue + 1] + fields.map { Array($0.utf8) }.joined(separator: [0])
    }

    init?(_ bytes: [UInt8]) {
        guard let first = bytes.first, first > 0, let kind = Kind(rawValue: first - 1) else { return nil }
        let fields = bytes.dropFirst().split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard fields.count == 7 else { return nil }
        self.init(kind, fields[0], remark: fields[1])
        (line, advice) = (fields[2].isEmpty ? nil : fields[2], fields[3].isEmpty ? nil : fields[3])
        (call, program, process) = (fields[4], fields[5], Int32(fields[6]) ?? 0)
    }
}
