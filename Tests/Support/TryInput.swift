import JailPlan
import JailScore
import JailSpec
import SpecFile

/// Goes the whole way from a text to what `check`, `plan` and `score` say of it, and crashes where a law is broken: for the
/// fuzzer, and for the tests that try what it has found.
///
/// A NUL byte, which no spec may hold, ends the spec. What follows are further texts: one that begins with the byte 1 is
/// laid over it as a file that extends it, one that begins with the byte 2 is the seccomp file that it names, every other is
/// an argument of `--set`.
package func tryInput(_ input: [UInt8]) {
    let texts = input.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
    do throws(Diagnostic) {
        var root = try table(of: texts[0])
        var profile: Node?
        for text in texts.dropFirst() {
            if text.first == 2 {
                profile = try parseJSON(Array(text.dropFirst()), file: "fuzz.json")
            } else if text.first == 1 {
                root = try root.merging(try table(of: Array(text.dropFirst())), .appending)
            } else {
                root = try root.merging(try parseOverride(String(decoding: text, as: UTF8.self)), .replacing)
            }
        }
        follow(root, profile)
    } catch {
        show(error)
    }
}

private func table(of text: [UInt8]) throws(Diagnostic) -> Table {
    guard case .table(let table) = try parse(text, file: "fuzz.toml").value else { return Table() }
    return table
}

/// Decodes, and where that finds no fault plans for every kind of caller.
private func follow(_ root: Table, _ profile: Node?) {
    let surroundings = Surroundings(
        environment: ["HOME": "/home/ada", "PWD": "/cwd", "X": "../x"], currentDirectory: "/cwd")
    var decoded = Spec.decode(Document(root: root, files: []), in: surroundings)
    if let profile {
        let read = SeccompProfile.decode(profile, in: surroundings)
        precondition((read.profile == nil) == !read.diagnostics.isEmpty, "a file without a profile or a reason")
        decoded.add(read.profile, read.diagnostics)
    }
    guard decoded.diagnostics.isEmpty else {
        for fault in decoded.diagnostics { show(fault) }
        return
    }
    var spec = decoded.spec
    let score = Score(of: spec)
    precondition(score.exact >= 0 && score.exact < 10, "a score of \(score.exact)")
    _ = score.listing(of: "fuzz.toml")
    _ = score.json(of: "fuzz.toml").text
    let contradictions = spec.contradictions
    if spec.command == nil { spec.command = Located(["true"]) }
    for host in hosts {
        switch Planner.plan(spec, on: host) {
        case .success(let plan):
            precondition(contradictions.isEmpty, "a plan for what no host can do: \(contradictions)")
            let violations = PlanLaw.violations(of: plan, on: host)
            precondition(violations.isEmpty, "\(violations)")
            precondition(plan.listing.count >= plan.steps.count, "a step is not listed")
            _ = plan.json.text
        case .failure(let faults):
            precondition(!faults.diagnostics.isEmpty, "refused without a reason")
            for fault in faults.diagnostics { show(fault) }
        }
    }
}

private let hosts: [Host] = [
    .root, .user, .loner, .inSession,
    .root.with { ($0.standardInputIsTerminal, $0.standardOutputIsTerminal) = (true, true) },
    .limited.with { host in
        host.service.notifySocket = "/run/systemd/notify"
        (host.service.watchdog, host.service.socketCount) = ("1000000", 2)
        host.service.credentials = "/run/credentials/x.service"
    },
    .user.with { ($0.landlockABI, $0.lastCapability, $0.canStartSession) = (0, 20, false) },
]

/// A diagnostic as it is printed: it says something, on one line.
private func show(_ fault: Diagnostic) {
    precondition(!fault.message.isEmpty && !fault.message.utf8.contains(UInt8(ascii: "\n")), "\(fault)")
    _ = JSON(fault).text
}
