import ArgumentParser
import JailPlan
import JailRuntime
import JailSpec
import SpecFile
import SystemCallFilter

/// `immure syscalls`: what a group holds, what becomes of a call, what a spec allows and why.
struct SystemCallsCommand: ParsableCommand {
    static let configuration = Verb.syscalls.configuration(discussion: "Without an argument: the groups.")

    @Argument(help: "a @group, the name of a call, or a spec file", completion: .file())
    var subject: String?

    mutating func run() throws {
        guard let subject else {
            Caller.show(CallNames.groupNames.map { $0 + "\n" }.joined())
            return
        }
        if subject.hasPrefix("@") { return try showGroup(subject) }
        if CallNames.isKnown(subject), !Caller.exists(subject) { return showCall(subject) }
        guard Caller.exists(subject) || subject.contains("/") || subject.contains(".") else {
            let near = CallNames.nearest(to: subject).map { "did you mean \(quoted($0))?" }
            Report.say(Diagnostic("no call and no file is named \(quoted(subject))", at: nil, hint: near))
            throw ExitCode(2)
        }
        try showSpec(subject)
    }

    private func showGroup(_ group: String) throws {
        guard let members = CallNames.listing(of: group) else {
            let near = CallNames.nearest(to: group).map { "did you mean \(quoted($0))?" }
            Report.say(Diagnostic("unknown group \(quoted(group))", at: nil, hint: near))
            throw ExitCode(2)
        }
        Caller.show(members.map { $0 + "\n" }.joined())
    }

    /// The numbers, the groups, and what the profiles say.
    private func showCall(_ name: String) {
        var lines = [name]
        for (architecture, words) in [(Architecture.x86_64, "x86-64"), (.aarch64, "aarch64")] {
            let number = CallNames.all(on: architecture).first { $0.name == name }?.number
            lines.append("  \(words): " + (number.map { "\($0)" } ?? "none"))
        }
        lines.append("  groups: " + CallNames.groups(of: name).joined(separator: " "))
        for (profile, words) in [(SeccompPolicy.Profile.default, "default"), (.strict, "strict")] {
            var policy = SeccompPolicy()
            policy.profile = Located(profile)
            let resolved = EffectivePolicy.resolve(Located(policy), in: FilterContext()).policy
            guard let call = resolved?.calls.first(where: { $0.name == name }) else { continue }
            lines.append("  profile \"\(words)\": " + Self.words(call))
        }
        Caller.show(lines.map { $0 + "\n" }.joined())
    }

    private func showSpec(_ path: String) throws {
        do throws(Rejection) {
            let surroundings = Caller.surroundings()
            let spec = try Prepare.decode(
                try Document.load(
                    path: path, in: surroundings, reading: Caller.readSpec, translating: BundleSpec.translate),
                in: surroundings)
            var context = spec.filterContext
            context.kernel = Caller.kernel
            let resolved = EffectivePolicy.resolve(spec.seccomp, in: context)
            guard resolved.faults.isEmpty else { throw Rejection(resolved.faults) }
            guard let policy = resolved.policy else {
                Caller.show("every call is allowed: there is no filter\n")
                return
            }
            let calls = policy.calls + policy.others.flatMap(policy.ownCalls)
            let width = calls.map(\.name.utf8.count).max() ?? 0
            let lines = calls.map { call in
                call.name + String(repeating: " ", count: width - call.name.utf8.count) + "  " + Self.words(call)
            }
            let rest = ["other numbers: \(policy.unknown.name)", "calls of another ABI: \(policy.foreign.name)"]
            let others = policy.others.map { "calls of \($0.name): as the calls that they stand for" }
            Caller.show((lines + others + rest + policy.leftOut).map { Report.printable($0) + "\n" }.joined())
        } catch {
            for fault in error.diagnostics { Report.say(fault) }
            throw ExitCode(2)
        }
    }

    /// `EPERM [spec.toml:3:9: seccomp.deny]`, the rules first.
    private static func words(_ call: EffectivePolicy.Call) -> String {
        let rules = call.rules.map { "\($0.words): \($0.verdict.name)\(reason($0.origin)); " }.joined()
        return rules + (call.rules.isEmpty ? "" : "else ") + call.verdict.name + reason(call.origin)
    }

    private static func reason(_ origin: EffectivePolicy.Origin) -> String {
        "  [" + (origin.position.map { "\($0): " } ?? "") + origin.words + "]"
    }
}
