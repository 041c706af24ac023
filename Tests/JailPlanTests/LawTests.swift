import JailSpec
import Kernel
import SpecFile
import TestSupport
import Testing

@testable import JailPlan

/// What holds for every spec, tried on random ones. A failure names its seed: `IMMURE_SEED=n` tries only that one.
@Suite struct LawTests {
    /// Printed and read again, a spec is the same but for the places of its lines.
    @Test func printedAndReadAgain() throws {
        var whole = 0
        for seed in seeds(1000) {
            var random = Seeded(seed)
            var lines = RandomSpec(using: &random).lines
            if seed % 3 == 0, !lines.contains(where: { $0.hasPrefix("mount") }) {
                lines.append("mount = [\(RandomSpec.laterMounts.map { "{ \($0) }" }.joined(separator: ", "))]")
            }
            let text = lines.joined(separator: "\n")
            let (first, faults) = try decoded(text)
            guard faults.isEmpty else { continue }
            whole += 1
            let printed = SpecWriter.text(of: first)
            let (second, again) = try decoded(printed)
            #expect(again == [], "seed \(seed):\n\(text)\n--\n\(printed)")
            #expect(shape(first) == shape(second), "seed \(seed):\n\(text)\n--\n\(printed)")
            #expect(SpecWriter.text(of: second) == printed, "seed \(seed)")
        }
        #expect(whole > 15 || seeds(1000).count == 1, "only \(whole) were right")
    }

    /// A line is worth the same in the file and after `--set`, faults included; and `--set` wins over what is there.
    @Test func setEqualsTheSameTextInTheFile() throws {
        for seed in seeds(500) {
            var random = Seeded(seed)
            let lines = RandomSpec(using: &random).lines
            let cut = Int.random(in: 0...lines.count, using: &random)
            var table = try table(lines[..<cut].joined(separator: "\n"))
            for line in lines[cut...] { table = try table.merging(parseOverride(line), .replacing) }
            let (written, faults) = try decoded(lines.joined(separator: "\n"))
            let (set, others) = decoded(table)
            #expect(shape(written) == shape(set), "seed \(seed), cut \(cut):\n\(lines.joined(separator: "\n"))")
            #expect(faults.sorted() == others.sorted(), "seed \(seed), cut \(cut)")

            // The other values of keys that are there; tables would merge.
            var again = lines
            for (index, line) in lines.enumerated() {
                guard let (key, values) = RandomSpec.keys.first(where: { line.hasPrefix($0.0 + " = ") }),
                    let value = values.randomElement(using: &random), !value.hasPrefix("{"), !line.contains("= {")
                else { continue }
                again[index] = "\(key) = \(value)"
                table = try table.merging(parseOverride(again[index]), .replacing)
            }
            let (replaced, _) = try decoded(again.joined(separator: "\n"))
            #expect(shape(replaced) == shape(decoded(table).spec), "seed \(seed):\n\(again.joined(separator: "\n"))")
        }
    }

    /// No plan has an operation after the one that makes it impossible, or before the one that it needs.
    @Test func thePlanOfARandomSpecIsPossible() throws {
        let hosts: [(String, Host)] = [
            ("root", .root), ("user", .user), ("loner", .loner), ("limited", .limited), ("in a session", .inSession),
            ("a service", .limited.with(Self.offer)), ("a user's service", .inSession.with(Self.offer)),
            (
                "root at a terminal",
                .root.with { ($0.standardInputIsTerminal, $0.standardOutputIsTerminal) = (true, true) }
            ),
            ("an old kernel", .loner.with { ($0.landlockABI, $0.lastCapability) = (0, 37) }),
        ]
        var (plans, refused) = (0, 0)
        for seed in seeds(1200) {
            var random = Seeded(seed)
            let text = RandomSpec(using: &random).text
            var (spec, faults) = try decoded(text)
            guard faults.isEmpty else { continue }
            let contradictions = spec.contradictions
            if !contradictions.isEmpty { refused += 1 }
            if spec.command == nil { spec.command = Located(["true"]) }
            for (name, host) in hosts {
                guard case .success(let plan) = Planner.plan(spec, on: host) else { continue }
                plans += 1
                // What one host can do is no contradiction.
                #expect(contradictions == [], "seed \(seed), \(name):\n\(text)")
                #expect(PlanLaw.violations(of: plan, on: host) == [], "seed \(seed), \(name):\n\(text)")
                #expect(remembersItsSteps(plan), "seed \(seed), \(name):\n\(text)")
            }
        }
        #expect(plans > 50 || seeds(1000).count == 1, "only \(plans) plans")
        #expect(refused > 50 || seeds(1000).count == 1, "only \(refused) contradictions")
    }

    @Test(arguments: Shape.all) func thePlanOfEveryShapeIsPossible(shape: Shape) throws {
        let plan = try shape.plan()
        #expect(PlanLaw.violations(of: plan, on: shape.host) == [], "\(shape.name)")
        #expect(remembersItsSteps(plan), "\(shape.name)")
    }

    /// What a plan has noted of the steps that a launch finds again is what stands in them, though most were added unread.
    private func remembersItsSteps(_ plan: Plan) -> Bool {
        var again = Plan()
        again.shape = plan.shape
        for step in plan.steps { again.append(step.operation, step.origin) }
        return again.creation == plan.creation && again.division == plan.division && again.maps == plan.maps
            && again.newNamespaces == plan.newNamespaces
            && again.session == plan.session && again.filter == plan.filter && again.filterOrigin == plan.filterOrigin
            && again.readsBehindFilter == plan.readsBehindFilter && again.landlockHandled == plan.landlockHandled
            && again.steps == plan.steps
    }

    /// The law is not one that everything keeps: of a plan, only these could as well be the first operation, and none the
    /// last.
    @Test func theLawCanBeBroken() throws {
        let plan = try plan(Shape.everything)
        let operations = plan.operations
        var free: [String] = []
        for index in operations.indices.dropLast() {
            var first = operations
            first.insert(first.remove(at: index), at: 0)
            let name = operations[index].operationName
            if index > 0, PlanLaw.violations(of: first, in: plan, on: .root).isEmpty, !free.contains(name) {
                free.append(name)
            }
            var last = operations
            last.append(last.remove(at: index))
            #expect(!PlanLaw.violations(of: last, in: plan, on: .root).isEmpty, "\(name) after the command")
        }
        #expect(
            free == [
                "open_tree", "open_device", "open_pipes", "set_oom_score", "set_nice", "raise_hard_limit",
                "offset_clocks",
            ])
    }

    private static func offer(_ host: inout Host) {
        host.service.notifySocket = "/run/systemd/notify"
        (host.service.watchdog, host.service.socketCount, host.service.socketNames) = ("1000000", 2, "a:b")
        host.service.credentials = "/run/credentials/x.service"
    }

    private func seeds(_ count: UInt64) -> [UInt64] {
        if let one = environmentVariable("IMMURE_SEED").flatMap({ UInt64($0) }) { return [one] }
        // A sample that takes seconds; all with IMMURE_ROUNDS set.
        return Array(1...(environmentVariable("IMMURE_ROUNDS") == nil ? max(count / 6, 1) : count))
    }

    private func decoded(_ text: String) throws -> (spec: Spec, faults: [String]) { decoded(try table(text)) }

    private func decoded(_ table: Table) -> (spec: Spec, faults: [String]) {
        let decoded = decode(table)
        return (decoded.spec, decoded.diagnostics.map { Self.withoutPlaces($0.message) })
    }

    /// `t.toml:3:4` and `--set:1:1` are places.
    private static func withoutPlaces(_ message: String) -> String {
        message.split(separator: " ").filter { !$0.hasPrefix("t.toml:") && !$0.hasPrefix("--set:") }
            .joined(separator: " ")
    }
}

/// A value by its parts, whatever type they are of, without the places of lines: no field can be forgotten.
private func shape(_ value: Any) -> String {
    if value is Position { return "" }
    if let spec = value as? Filesystem { return shape(parts: spec, sorting: "mounts") }
    return shape(parts: value, sorting: nil)
}

private func shape(parts value: Any, sorting list: String?) -> String {
    let mirror = Mirror(reflecting: value)
    guard !mirror.children.isEmpty else { return mirror.displayStyle == .optional ? "" : "\(value)" }
    let parts = mirror.children.map { child -> String in
        if child.label == "position" { return "" }
        // The order of mounts carries no meaning.
        if let list, child.label == list {
            return Mirror(reflecting: child.value).children.map { shape($0.value) }.sorted().joined(separator: ",")
        }
        return "\(child.label ?? ""):\(shape(child.value))"
    }
    return "(" + parts.joined(separator: ",") + ")"
}
