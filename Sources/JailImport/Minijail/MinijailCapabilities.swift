import JailSpec
import SpecFile

extension MinijailImport {
    /// `-c`: what cap_from_text(3) reads, or a mask in hexadecimal, whatever it begins with.
    mutating func capabilities(_ line: Line) {
        let value = line.value ?? "0"
        var set: CapabilitySet = []
        if let mask = UInt64(value.lowercased().after("0x") ?? value, radix: 16) {
            set = CapabilitySet(Capability.allCases.filter { mask >> UInt64($0.rawValue) & 1 == 1 })
        } else {
            for clause in value.spaced { effective(clause, &set, line.directive) }
        }
        draft.isInForce(.bounded(set), "in capabilities.keep", line.directive)
        if !set.isNone { draft.set("capabilities.keep", .strings(set.capabilities.map(\.name)), line.directive) }
    }

    /// `NAME,…` and then operators with the sets that they are for: `=` sets those and takes away the others, `+` and `-` change.
    private mutating func effective(_ clause: String, _ set: inout CapabilitySet, _ directive: Directive) {
        let names = clause.prefix { !"=+-".contains($0) }
        var rest = clause.dropFirst(names.count)
        var named: CapabilitySet = []
        if names.lowercased() == "all" || (names.isEmpty && rest.first == "=") {
            named = CapabilitySet(Capability.allCases)
        } else {
            for name in names.split(separator: ",") {
                guard let capability = Capability.named(foreign: String(name)) else {
                    return draft.fail("unknown capability \(name)", directive)
                }
                named = named | CapabilitySet(capability)
            }
        }
        guard !rest.isEmpty, !named.isNone else { return draft.fail("not capabilities: \(clause)", directive) }
        while let mark = rest.popFirst() {
            let flags = rest.prefix { !"=+-".contains($0) }
            rest = rest.dropFirst(flags.count)
            guard flags.allSatisfy({ "eip".contains($0) }) else {
                return draft.fail("not capabilities: \(clause)", directive)
            }
            let isEffective = flags.contains("e")
            if mark == "=" || (mark == "-" && isEffective) { set = set.without(named) }
            if mark != "-", isEffective { set = set | named }
        }
    }
}
