import SpecFile

extension Section {
    /// `[rlimits]`.
    mutating func rlimits() -> [ResourceLimit] {
        guard var section = section("rlimits") else { return [] }
        var result: [ResourceLimit] = []
        for resource in Resource.allCases {
            guard let limit = section.value(resource.name, Form.limit(of: resource)) else { continue }
            result.append(
                ResourceLimit(resource, soft: limit.value.soft, hard: limit.value.hard, position: limit.position))
        }
        section.finish()
        return result
    }

    /// `[limits]`; nil where nothing is limited.
    mutating func limits() -> Located<Limits>? {
        guard var section = section("limits") else { return nil }
        var result = Limits()
        result.memory = section.value("memory", Form.positiveSize)
        result.memoryHigh = section.value("memory_high", Form.positiveSize)
        result.swap = section.value("swap", Form.size)
        result.cpu = section.value("cpu", Form.percentage)
        result.cpuWeight = section.value("cpu_weight", Form.integer(1...10_000))
        result.cpus = section.value("cpus", Form.cpuList)
        result.pids = section.value("pids", Form.integer(1...4_194_304))
        result.ioWeight = section.value("io_weight", Form.integer(1...10_000))
        result.scope = section.value("scope", Form.word(Limits.Scope.self)) ?? result.scope
        for var entry in section.sections("io") {
            if let io = entry.io() { result.io.append(io) }
            entry.finish()
        }
        section.finish()
        if let memory = result.memory, let high = result.memoryHigh, high.value > memory.value {
            report("limits.memory_high: is more than memory\(also(at: memory.position))", at: high.position)
        }
        return result == Limits() ? nil : Located(result, at: section.position)
    }

    private mutating func io() -> Limits.IO? {
        let device = required("device", Form.hostPath)
        let rates = ["rbps", "wbps", "riops", "wiops"].map { value($0, Form.positiveSize) }
        let weight = value("weight", Form.integer(1...UInt64(10_000)))
        if !["rbps", "wbps", "riops", "wiops", "weight"].contains(where: { table[$0] != nil }) {
            report("limits.io: limits nothing", at: position, hint: "give rbps, wbps, riops, wiops or weight")
        }
        guard let device else { return nil }
        var result = Limits.IO(device: device)
        result.rbps = rates[0]
        result.wbps = rates[1]
        result.riops = rates[2]
        result.wiops = rates[3]
        result.weight = weight
        return result
    }
}

extension Form {
    /// `soft:hard`, or one for both; each a number, `unlimited`, or for bytes a size.
    fileprivate static func limit(of resource: Resource) -> Reader<(soft: UInt64?, hard: UInt64?)> {
        { (node: Node, decoding: Decoding) throws(Diagnostic) -> (soft: UInt64?, hard: UInt64?) in
            if case .integer(let value) = node.value {
                guard let number = UInt64(exactly: value) else {
                    throw fault("\(value) is negative", node, hint: "write \"unlimited\" for no limit")
                }
                return (number, number)
            }
            guard case .string = node.value else { throw fault("must be a number or a string, not \(node.kind)", node) }
            let written = try nonEmpty(node, decoding)
            let parts = written.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { throw fault("\(quoted(written)) is not \"soft:hard\"", node) }
            let soft = try limitValue(parts[0], of: resource, node)
            let hard = parts.count == 1 ? soft : try limitValue(parts[1], of: resource, node)
            guard (soft ?? .max) <= (hard ?? .max) else {
                throw fault("\(quoted(written)): the soft limit is above the hard one", node)
            }
            return (soft, hard)
        }
    }

    private static func limitValue(
        _ text: Substring, of resource: Resource, _ node: Node
    ) throws(Diagnostic) -> UInt64? {
        if text == "unlimited" { return nil }
        if resource.isBytes, let last = text.utf8.last, last > UInt8(ascii: "9") { return try size(String(text), node) }
        guard let number = canonicalNumber(text), number < UInt64.max else {
            throw fault("\(quoted(String(text))) is not a limit", node, hint: "a whole number or \"unlimited\"")
        }
        return number
    }
}

extension Resource {
    /// Whether getrlimit(2) counts it in bytes.
    var isBytes: Bool {
        switch self {
        case .fsize, .data, .stack, .core, .rss, .memlock, .as, .msgqueue: true
        default: false
        }
    }
}
