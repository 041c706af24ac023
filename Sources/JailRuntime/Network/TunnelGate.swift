import Kernel

/// Holds pasta(1) back at two places. It is started before the jail's namespaces are there, which it enters by itself and is given where it
/// gives up its groups, the last that it does before; so its start, which takes longer than all else, is beside theirs. And it waits in the
/// call that makes its interface, so that no packet finds a way out before the rules hold: nothing but a filter parts that from its start.
struct TunnelGate {
    /// The channel to the process that becomes the program, then the listener of its filter; −1 once it is open.
    private(set) var descriptor: Int32
    private var isListener = false
    /// Descriptors of the namespaces, and under which numbers the program is to have them.
    private let namespaces: [(descriptor: Int32, number: Int32)]
    private var isAllowed = false
    /// The interface that was asked for too early.
    private var early: Question?
    /// Whether it is a process without a listener that waits, for all of it.
    private var isUnheard = false

    /// A word without a listener, and the word that answers it.
    private static let waits: [UInt8] = [0]
    private static let asks: [UInt8] = [1]

    init(_ channel: Int32, giving namespaces: [(descriptor: Int32, number: Int32)]) {
        (descriptor, self.namespaces) = (channel, namespaces)
    }

    /// In the process that becomes the program, for the namespaces that it is to have under these numbers. Where no filter can ask, as
    /// somebody's asks already, that process itself waits.
    static func shut(telling channel: Int32, for numbers: [Int32]) throws(KernelError) {
        let listener: Int32
        do throws(KernelError) {
            listener = try gateTunnel()
        } catch {
            try send(waits, over: channel)
            for number in numbers {
                guard let found = try receive(from: channel, limit: 1)?.descriptor else { exitNow(125) }
                try duplicate(found, onto: number)
            }
            return
        }
        try send(asks, over: channel, passing: listener)
    }

    /// What to wait for: nothing as long as the rules do not hold and the program wants nothing else.
    var watch: Watch { Watch(!isAllowed && (isUnheard || early != nil) ? -1 : descriptor) }

    /// The rules hold: the program may go on.
    mutating func allow() throws(KernelError) {
        isAllowed = true
        if isUnheard { return try start() }
        if let early { try pass(early) }
    }

    /// Answers the program: when something can be read. One that has ended is told of by its helper.
    mutating func heed() throws(KernelError) {
        guard isListener else { return try listen() }
        // A question that has been taken back, by a signal or an end, comes again or not at all.
        var now = [Watch(descriptor)]
        try poll(&now, milliseconds: 0)
        guard now[0].isReadable else { return now[0].isReady ? close() : () }
        guard let question = try nextQuestion(descriptor) else { return }
        if question.isOfGroups {
            for (namespace, number) in namespaces {
                guard try give(namespace, as: number, to: question, on: descriptor) else { return }
            }
            try answer(question, on: descriptor)
        } else if isAllowed {
            try pass(question)
        } else {
            early = question
        }
    }

    private mutating func listen() throws(KernelError) {
        guard let message = try receive(from: descriptor, limit: 1) else { return close() }
        if let listener = message.descriptor {
            closeDescriptor(descriptor)
            (descriptor, isListener) = (listener, true)
        } else if isAllowed {
            try start()
        } else {
            isUnheard = true
        }
    }

    /// Lets the interface be made; the question may come again.
    private mutating func pass(_ question: Question) throws(KernelError) {
        early = nil
        if try answer(question, on: descriptor) { close() }
    }

    private mutating func start() throws(KernelError) {
        try AwaitedNamespaces.send(namespaces.map(\.descriptor), over: descriptor)
        close()
    }

    /// Who asks once more is refused: ENOSYS.
    private mutating func close() {
        closeDescriptor(descriptor)
        descriptor = -1
    }
}
