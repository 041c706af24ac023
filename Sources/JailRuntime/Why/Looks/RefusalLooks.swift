import JailPlan
import JailSpec
import Kernel
import SpecFile
import SystemCallFilter

/// Looks at a call that the filter refuses, for the line that opens it: a filter that lets it pass is not enough where the kernel asks for
/// a capability, and a name that is denied may stand in no other list.
struct RefusalLooks {
    let scene: JailScene
    let thread: ThreadState

    func look(_ question: Question, _ name: String, _ kind: Denial.Kind) -> Denial {
        let allow = "seccomp.allow = [\"\(name)\"]"
        guard let filter = scene.filter else { return Denial(kind, name, line: allow) }
        let origin = filter.explain(
            number: question.number, architecture: question.architecture, arguments: question.arguments
        ).origin
        if let place = origin.position, origin.words == "seccomp.deny" || origin.words == "seccomp.rule" {
            let advice =
                origin.words == "seccomp.deny" ? "take it out of what \(place) denies" : "change the rule of \(place)"
            return Denial(kind, name, advice: advice)
        }
        if let place = origin.position, origin.words == EffectivePolicy.rightsOfFiles {
            return Denial(
                kind, name, remark: "since files that are made there are another's on the host",
                advice:
                    "add \"suid\" to the options of the mount of \(place), if the command is to give them such rights")
        }
        switch asks(question, name) {
        case .nothing:
            guard let narrow = filter.opening(name, question.arguments) else { return Denial(kind, name, line: allow) }
            return Denial(kind, name, remark: "for its argument \(narrow.argument)", line: narrow.line)
        case .ofHost(let capability) where scene.ownsUsers:
            return Denial(
                kind, name,
                remark: "and by the kernel, which asks for \(capability.name) outside of the jail's user namespace")
        case .ofHost(let capability), .ofJail(let capability):
            let remark = "and by the kernel without the capability \(capability.name)"
            if capability == .sys_admin, let hide = scene.firstHide {
                return Denial(kind, name, remark: "\(remark), which would uncover what \(hide) hides")
            }
            // A kept capability opens the profile's calls that it is for, and what no other says.
            guard origin.words.hasPrefix("profile \"default\"") else {
                return Denial(
                    kind, name, remark: "and by the kernel without \(scene.keeping(capability).line)", line: allow)
            }
            let (line, note) = scene.keeping(capability)
            return Denial(kind, name, remark: remark + note, line: line)
        }
    }

    /// Nothing where the thread has it.
    private func asks(_ question: Question, _ name: String) -> KernelAsks {
        let asks = KernelAsks(of: name, question.arguments)
        switch asks {
        case .ofJail(let capability) where thread.capabilities.contains(capability): return .nothing
        case .ofHost(let capability) where !scene.ownsUsers && thread.capabilities.contains(capability): return .nothing
        case .ofHost where Self.isLeftOpen(name): return .nothing
        default: return asks
        }
    }

    /// Whether this host lets everybody make it, by a setting of its own.
    private static func isLeftOpen(_ name: String) -> Bool {
        let setting: (path: String, most: Int)
        switch name {
        // Counting oneself, perf_event_open(2).
        case "perf_event_open": setting = ("/proc/sys/kernel/perf_event_paranoid", 2)
        case "bpf": setting = ("/proc/sys/kernel/unprivileged_bpf_disabled", 0)
        case "syslog": setting = ("/proc/sys/kernel/dmesg_restrict", 0)
        default: return false
        }
        do throws(KernelError) {
            let text = try readText(setting.path)
            return lines(Array(text.utf8)).first.flatMap { Int($0) }.map { $0 <= setting.most } ?? false
        } catch {
            return false
        }
    }
}
