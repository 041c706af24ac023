package import SpecFile

/// A spec as decoded, with every fault found; launch only where there is none.
package struct Decoded: Equatable, Sendable {
    package var spec: Spec
    /// Sorted by position: the files in the order they were read, `--set` last.
    package private(set) var diagnostics: [Diagnostic]

    /// Takes up the seccomp file that the spec names, or what is wrong with it.
    package mutating func add(_ profile: SeccompProfile?, _ faults: [Diagnostic]) {
        if let seccomp = spec.seccomp {
            var policy = seccomp.value
            policy.file = profile
            spec.seccomp = Located(policy, at: seccomp.position)
        }
        add(faults)
    }

    /// Takes up faults that somebody else found, after the others.
    package mutating func add(_ faults: [Diagnostic]) { diagnostics += faults }
}

extension Spec {
    /// Decodes and validates a document; `surroundings` are those of its load. `isPartial`: a file of it could not be read, and may
    /// have what others lack.
    package static func decode(
        _ document: Document, in surroundings: Surroundings, isPartial: Bool = false
    ) -> Decoded {
        var decoded = Decoded(spec: Spec(), diagnostics: [])
        guard !document.root.entries.isEmpty else { return decoded }
        let decoding = Decoding(surroundings)
        decoding.isPartial = isPartial
        decoding.root(document.root, into: &decoded.spec)
        decoded.add(decoding.sorted(by: document.files))
        return decoded
    }
}

/// One run of the decoder: what paths expand against, and the faults so far.
final class Decoding {
    /// A file that is wrong throughout is not helped by a million lines.
    static let faultLimit = 100

    let surroundings: Surroundings
    private(set) var faults: [Diagnostic] = []
    private var unreported = 0
    /// nil but in a survey.
    var survey: Survey?
    /// Whether there is more that was written.
    var isPartial = false

    init(_ surroundings: Surroundings) { self.surroundings = surroundings }

    /// Whether further faults are only counted: from then on no time goes into wording them.
    var isFull: Bool { faults.count >= Self.faultLimit }

    func report(_ fault: Diagnostic) {
        if isFull { unreported += 1 } else { faults.append(fault) }
    }

    func report(_ message: String, at position: Position?, hint: String? = nil) {
        report(Diagnostic(message, at: position, hint: hint))
    }

    func sorted(by files: [SourceFile]) -> [Diagnostic] {
        if faults.isEmpty { return [] }
        func rank(_ fault: Diagnostic) -> Int {
            fault.position.map { place in files.firstIndex { $0.path == place.file } ?? files.count } ?? -1
        }
        var result = faults.enumerated().sorted { a, b in
            let left = (rank(a.element), a.element.position?.line ?? 0, a.element.position?.column ?? 0, a.offset)
            let right = (rank(b.element), b.element.position?.line ?? 0, b.element.position?.column ?? 0, b.offset)
            return left < right
        }.map(\.element)
        if unreported > 0 { result.append(Diagnostic("\(unreported) more faults", at: nil)) }
        return result
    }

    func root(_ table: Table, into spec: inout Spec) {
        var root = Section(table, named: "", in: self)
        spec.command = root.command("command")
        spec.cwd = root.value("cwd", Form.expandedPath) ?? spec.cwd
        spec.hostname = root.value("hostname", Form.hostname)
        spec.timeout = root.value("timeout", Form.positiveDuration)
        spec.grace = root.value("grace", Form.duration) ?? spec.grace
        spec.filesystem = root.filesystem()
        spec.namespaces = root.namespaces()
        spec.identity = root.identity()
        spec.capabilities = root.capabilities()
        spec.process = root.process()
        spec.environment = root.environment()
        spec.rlimits = root.rlimits()
        spec.limits = root.limits()
        spec.seccomp = root.seccomp()
        spec.landlock = root.landlock()
        spec.network = root.network(spec.namespaces)
        spec.service = root.service()
        if spec.process.boot.value { boot(&spec) }
        root.finish()
    }
}

extension Section {
    /// An argument vector: at least the program.
    fileprivate mutating func command(_ key: String) -> Located<[String]>? {
        let hint = "write \(key) = [\"sh\", \"-c\", \"…\"]"
        guard let list = list(key, Form.text, hint: hint) else { return nil }
        let words = list.value.map(\.value)
        guard let program = words.first, !program.isEmpty else {
            report("\(key): names no program", at: list.position, hint: hint)
            return nil
        }
        return Located(words, at: list.position)
    }
}
