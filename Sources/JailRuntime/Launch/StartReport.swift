import JailPlan
package import JailSpec
import Kernel

/// What is said of a jail that is complete, right before its command is executed.
package struct StartedJail: Sendable {
    /// The process that becomes the command, by its id in the launcher's procfs.
    package let process: Int
    /// The numbers of the namespaces that were made.
    package let namespaces: [(kind: NamespaceKind, number: UInt64)]

    init?(_ bytes: [UInt8]) {
        let numbers = words(bytes).compactMap(decimal)
        guard let process = numbers.first, numbers.count % 2 == 1 else { return nil }
        self.process = process
        var namespaces: [(kind: NamespaceKind, number: UInt64)] = []
        for place in stride(from: 1, to: numbers.count, by: 2) {
            guard let kind = NamespaceKind.allCases.first(where: { $0.index == numbers[place] }) else { return nil }
            namespaces.append((kind, UInt64(numbers[place + 1])))
        }
        self.namespaces = namespaces
    }
}

/// Who hears of the start, and what the command waits for then.
package struct StartReport {
    /// What is written for a reader before the command runs.
    package struct Words {
        let descriptor: Int32
        let text: String
        /// Whether the reader is to see that there is no more.
        let isLast: Bool

        package init(_ text: String, to descriptor: Int32, isLast: Bool) {
            (self.descriptor, self.text, self.isLast) = (descriptor, text, isLast)
        }
    }

    let words: (StartedJail) -> [Words]
    /// The command runs once this descriptor can be read, or has been closed by all others; nil for at once.
    let gate: Int32?
    /// Descriptors of the caller's that no process of the jail keeps.
    let own: [Int32]

    package init(gate: Int32?, own: [Int32], words: @escaping (StartedJail) -> [Words]) {
        (self.words, self.gate, self.own) = (words, gate, own)
    }
}

/// The launcher's end of the wait for the start.
struct StartWait {
    private enum State { case preparing, telling, told, over }

    let channel: Int32
    let report: StartReport
    private var state = State.preparing
    private var untold: ArraySlice<StartReport.Words> = []

    init(_ report: StartReport, from channel: Int32) { (self.report, self.channel) = (report, channel) }

    var descriptors: [Int32] { [channel] + (report.gate.map { [$0] } ?? []) }

    var watch: Watch {
        switch state {
        case .preparing: Watch(channel)
        case .telling: Watch(untold.first?.descriptor ?? -1, for: .writable)
        case .told: Watch(report.gate ?? -1)
        case .over: Watch(-1)
        }
    }

    /// What has come: the jail's word that it is complete, room for what a reader is told, or the word of the gate.
    mutating func heed() throws(KernelError) {
        switch state {
        case .preparing:
            guard let (bytes, _) = try receive(from: channel, limit: Message.limit) else {
                state = .over  // the launch has failed, and the other channel says why
                return
            }
            if let jail = StartedJail(bytes) { untold = report.words(jail)[...] }
            try tell(nil)
        case .telling: try tell(untold.popFirst())
        case .told: try open()
        case .over: break
        }
    }

    /// Tells what there is room for, and what comes after all has been told. Whoever does not listen any more is passed over.
    private mutating func tell(_ words: StartReport.Words?) throws(KernelError) {
        if let words {
            do throws(KernelError) {
                try writeAll(words.descriptor, Array(words.text.utf8), within: 100)
            } catch {
                // nobody listens, or somebody else has taken the room
            }
            if words.isLast { closeDescriptor(words.descriptor) }
        }
        state = untold.isEmpty ? .told : .telling
        if untold.isEmpty, report.gate == nil { try open() }
    }

    private mutating func open() throws(KernelError) {
        state = .over
        do throws(KernelError) {
            try send([1], over: channel)
        } catch {
            guard error.errno.meansPeerGone else { throw error }
        }
    }
}

extension Applier {
    /// Tells that the jail is complete, and waits for leave to go on; without a launcher there is nobody to go on for.
    func reportStart(_ plan: Plan) throws(Failure) {
        guard startChannel >= 0 else { return }
        let proc = try proc()
        let answer = try failing { () throws(KernelError) in
            var text = try readLink("self", at: proc.descriptor)
            for kind in plan.newNamespaces where kind != .user {
                text += " \(kind.index) \(try namespaceNumber(kind.procLink, at: proc.descriptor))"
            }
            try send(Array(text.utf8), over: startChannel)
            return try receive(from: startChannel, limit: 1)
        }
        if answer == nil { exitNow(125) }
    }
}
