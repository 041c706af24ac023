import LinuxFacts

/// Compiles a policy to classic BPF, seccomp(2): the architecture, the number by a balanced search over ranges of equal
/// verdict, then the arguments where a rule asks for them.
///
/// A call that is allowed whatever its arguments is allowed by its number: the kernel finds those when the filter is
/// installed (kernel/seccomp.c, `seccomp_cache_prepare`) and does not run the program for them again.
///
/// The program is written from its end, so that every jump, which can only go forward, is to a place that is known. Verdicts
/// are shared by the jumps that reach them: the kernel translates each instruction when the filter is installed.
struct FilterCompiler {
    /// BPF_MAXINSNS.
    static let limit = 4096

    /// In reverse order.
    fileprivate var code: [UInt64] = []
    private let policy: EffectivePolicy
    private let notifies: Bool

    /// The ranges: where each begins, and its leaf: a verdict, or the first of the rules of one call.
    private var starts: [UInt32] = []
    private var leaves: [Leaf] = []
    /// The verdicts that are returned, and where each was last.
    private var verdicts: [UInt32] = []
    private var places: [Int] = []

    private struct Leaf {
        let verdict: Verdict
        /// The rules in front of the verdict.
        let rules: Range<Int>
    }

    /// The instructions; `notifies` turns `kill` and `log` into a question to whoever holds the listener.
    static func compile(_ policy: EffectivePolicy, notifies: Bool) -> [UInt64] {
        var compiler = FilterCompiler(policy: policy, notifies: notifies)
        let others = policy.others.map { (abi: $0, search: compiler.search($0)) }
        compiler.findRanges()
        let search = compiler.emitSearch(0, compiler.starts.count)
        compiler.emitHead(search, others)
        return compiler.code.reversed()
    }

    private init(policy: EffectivePolicy, notifies: Bool) {
        self.policy = policy
        self.notifies = notifies
        code.reserveCapacity(1024)
        starts.reserveCapacity(256)
        leaves.reserveCapacity(256)
    }

    private mutating func findRanges() {
        var byNumber = [Int16](repeating: -1, count: 512)
        var last = 0
        for (index, call) in callTable.enumerated() {
            guard let number = call.number(on: policy.architecture) else { continue }
            byNumber[number] = Int16(index)
            if number > last { last = number }
        }
        var rulesOf = [Int16](repeating: -1, count: policy.rules.isEmpty ? 0 : callTable.count)
        for index in policy.rules.indices.reversed() { rulesOf[policy.rules[index].call] = Int16(index) }
        for number in 0...last {
            let call = Int(byNumber[number])
            if call < 0 {
                add(UInt32(number), policy.unknown, 0..<0)
            } else if rulesOf.isEmpty || rulesOf[call] < 0 {
                add(UInt32(number), policy.verdicts[call], 0..<0)
            } else {
                let first = Int(rulesOf[call])
                var end = first
                while end < policy.rules.count, policy.rules[end].call == call { end += 1 }
                add(UInt32(number), policy.verdicts[call], first..<end)
            }
        }
        add(UInt32(last + 1), policy.unknown, 0..<0)
    }

    /// The search among the calls of another ABI, and where it begins.
    private mutating func search(_ abi: OtherABI) -> Int {
        let calls = abi.calls
        for call in calls {
            let decision = policy.decision(on: call)
            add(call.number, decision.verdict, decision.rules)
        }
        if let last = calls.last { add(last.number + 1, policy.unknown, 0..<0) }
        defer { (starts, leaves) = ([], []) }
        return emitSearch(0, starts.count)
    }

    private mutating func add(_ start: UInt32, _ verdict: Verdict, _ rules: Range<Int>) {
        if let last = leaves.last, last.verdict.rawValue == verdict.rawValue, areAlike(last.rules, rules) { return }
        starts.append(start)
        leaves.append(Leaf(verdict: verdict, rules: rules))
    }

    /// Whether two calls are asked the same: chown, fchown and lchown of x86-64.
    private func areAlike(_ some: Range<Int>, _ others: Range<Int>) -> Bool {
        some.count == others.count
            && zip(policy.rules[some], policy.rules[others]).allSatisfy {
                $0.verdict.rawValue == $1.verdict.rawValue && $0.conditions == $1.conditions
            }
    }

    /// The search among the ranges from `low` up to `high`, and where it begins.
    private mutating func emitSearch(_ low: Int, _ high: Int) -> Int {
        if high - low == 1 { return emitLeaf(leaves[low]) }
        let middle = (low + high) / 2
        let upper = emitSearch(middle, high)
        let lower = emitSearch(low, middle)
        // The second of them may move the first one further away.
        let below = near(lower, 254)
        let above = near(upper, 255)
        emitTest(.greaterOrEqual, starts[middle], met: above, unmet: below)
        return code.count
    }

    /// A place from which one goes on to that: a comparison reaches 255 instructions, BPF_JA any number.
    private mutating func near(_ place: Int, _ reach: Int) -> Int {
        let distance = code.count - place
        guard distance > reach else { return place }
        emitJump(to: place)
        return code.count
    }

    private mutating func emitLeaf(_ leaf: Leaf) -> Int {
        guard leaf.rules.isEmpty else {
            emitReturn(leaf.verdict)
            for rule in policy.rules[leaf.rules].reversed() { emit(rule) }
            return code.count
        }
        let known = verdicts.firstIndex(of: leaf.verdict.rawValue)
        // Not so far that the comparison to come needs a jump between.
        if let known, code.count - places[known] < 240 { return places[known] }
        emitReturn(leaf.verdict)
        if let known {
            places[known] = code.count
        } else {
            verdicts.append(leaf.verdict.rawValue)
            places.append(code.count)
        }
        return code.count
    }

    private mutating func emit(_ rule: EffectivePolicy.Rule) {
        let otherwise = code.count
        emitReturn(rule.verdict)
        for condition in rule.conditions.reversed() { emit(condition, otherwise: otherwise) }
    }

    private mutating func emitReturn(_ verdict: Verdict) {
        let asks = notifies && (verdict.rawValue == Verdict.kill.rawValue || verdict.rawValue == Verdict.log.rawValue)
        emit(0x06, 0, 0, asks ? Verdict.ask.rawValue : verdict.rawValue)
    }

    /// Before everything else: the architecture, and on x86-64 the bit of x32.
    private mutating func emitHead(_ search: Int, _ others: [(abi: OtherABI, search: Int)]) {
        let (i386, x32) = (others.first { $0.abi == .i386 }, others.first { $0.abi == .x32 })
        emitReturn(policy.unknown)
        let unknown = code.count
        emitReturn(policy.foreign)
        let foreign = code.count
        // −1 is what a tracer puts in place of a call that is to be skipped: no call of x32.
        if policy.architecture.isX86 { emit(Test.equal.rawValue, UInt8(code.count - unknown), 0, .max) }
        var ofX32 = code.count
        if let x32 {
            emitJump(to: x32.search)
            ofX32 = code.count
        }
        var ofOthers = foreign
        if let i386 {
            emitJump(to: i386.search)
            emitLoad(0)
            emitTest(.equal, AuditArchitecture.i386, met: code.count, unmet: foreign)
            ofOthers = code.count
        }
        emitJump(to: search)
        if policy.architecture.isX86 {
            emitTest(.greaterOrEqual, AuditArchitecture.x32Bit, met: ofX32, unmet: code.count)
        }
        emitLoad(0)
        emitTest(.equal, policy.architecture.auditValue, met: code.count, unmet: ofOthers)
        emitLoad(4)
    }

    /// BPF_JA, which reaches any number of instructions.
    private mutating func emitJump(to place: Int) { emit(0x05, 0, 0, UInt32(code.count - place)) }

    fileprivate enum Test: UInt16 {
        case equal = 0x15, greater = 0x25, greaterOrEqual = 0x35, anyBit = 0x45
    }

    fileprivate mutating func emitLoad(_ offset: Int) { emit(0x20, 0, 0, UInt32(offset)) }

    /// `struct sock_filter`: the code, the two jumps, the operand.
    fileprivate mutating func emit(_ operation: UInt16, _ met: UInt8, _ unmet: UInt8, _ value: UInt32) {
        code.append(UInt64(operation) | UInt64(met) << 16 | UInt64(unmet) << 24 | UInt64(value) << 32)
    }
}

extension FilterCompiler {
    /// Goes on where the condition holds, and `otherwise` where not. Arguments are 64 bits, loaded by halves.
    private mutating func emit(_ condition: Condition, otherwise: Int) {
        let met = code.count
        let offset = 16 + 8 * condition.argument
        let (low, high) = (UInt32(truncatingIfNeeded: condition.value), UInt32(condition.value >> 32))
        let (lowBits, highBits) = (UInt32(truncatingIfNeeded: condition.bits), UInt32(condition.bits >> 32))
        switch condition.comparison {
        case .equal, .notEqual:
            let (same, different) = condition.comparison == .equal ? (met, otherwise) : (otherwise, met)
            emitHalf(.equal, low, lowBits, met: same, unmet: different, at: offset)
            if highBits != 0 {
                let lower = code.count
                emitHalf(.equal, high, highBits, met: lower, unmet: different, at: offset + 4)
            }
        case .greater, .greaterOrEqual, .less, .lessOrEqual:
            let isOrdered = condition.comparison == .greater || condition.comparison == .greaterOrEqual
            // a < b is not a >= b.
            let (above, below) = isOrdered ? (met, otherwise) : (otherwise, met)
            let test: Test =
                condition.comparison == .greater || condition.comparison == .lessOrEqual ? .greater : .greaterOrEqual
            emitHalf(test, low, lowBits, met: above, unmet: below, at: offset)
            if highBits != 0 {
                let lower = code.count
                emitTest(.equal, high, met: lower, unmet: below)
                let equal = code.count
                emitHalf(.greater, high, highBits, met: above, unmet: equal, at: offset + 4)
            }
        case .anyBit:
            emitHalf(.anyBit, low, lowBits, met: met, unmet: otherwise, at: offset)
            if high != 0 {
                let lower = code.count
                emitHalf(.anyBit, high, highBits, met: met, unmet: lower, at: offset + 4)
            }
        }
    }

    private mutating func emitHalf(
        _ test: Test, _ value: UInt32, _ bits: UInt32, met: Int, unmet: Int, at offset: Int
    ) {
        emitTest(test, value, met: met, unmet: unmet)
        if bits != .max, test != .anyBit { emit(0x54, 0, 0, bits) }
        emitLoad(offset)
    }

    /// No distance is above 255: within one rule there are at most six conditions of seven instructions.
    private mutating func emitTest(_ test: Test, _ value: UInt32, met: Int, unmet: Int) {
        emit(test.rawValue, UInt8(code.count - met), UInt8(code.count - unmet), value)
    }
}
