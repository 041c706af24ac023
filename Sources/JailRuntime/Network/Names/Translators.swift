import JailPlan
import Kernel

/// By which prefixes the network leads from IPv6 to IPv4, RFC 7050: the servers say it, once. What their answers for others mean is judged after
/// that: a name could lead to a private network of IPv4 by an address of IPv6 that looks like any other.
struct Translators {
    private var isAsked = false
    private(set) var areKnown = false
    private(set) var prefixes: [AddressRange] = []
    /// Whether answers wait for this that can be taken now.
    private var arePast = false

    /// Whether they are to be asked for: the first time.
    fileprivate mutating func begin() -> Bool {
        defer { isAsked = true }
        return !isAsked
    }

    /// Nothing more will be known.
    mutating func beKnown(_ prefixes: [AddressRange] = []) {
        if areKnown { return }
        (areKnown, arePast, self.prefixes) = (true, true, prefixes)
    }

    fileprivate mutating func takePast() -> Bool {
        defer { arePast = false }
        return arePast
    }
}

extension NameResolver {
    /// With the first question that an address of IPv6 may answer, and before it.
    mutating func askForTranslators(_ now: Int) throws(KernelError) {
        guard translators.begin() else { return }
        let question = NameQuestion(name: Translation.knownName, type: NameQuestion.six)
        let asked = AskedMessage(id: 0, question: question, wantsRecursion: true, room: nil)
        try begin(Exchange(asker: .nobody, asked: asked, groups: []), now)
    }

    mutating func learn(_ answer: Answer, _ index: Int) {
        translators.beKnown(Translation.prefixes(knownBy: answer.addresses.map(\.address)))
        finish(index, [])
    }

    /// Takes the answers that have waited for it.
    mutating func takeHeld(_ now: Int) throws(KernelError) {
        guard translators.takePast() else { return }
        for index in exchanges.indices.reversed() {
            if let held = exchanges[index].held { try take(held, index, now) }
        }
    }
}
