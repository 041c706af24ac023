import JailPlan
import JailSpec
import Kernel

/// What ran out.
extension Explanation {
    /// The spec's own limit of descriptors, which holds for the command's process from then on.
    var descriptorLimit: Plan.Step? {
        guard case .kernel = failure.cause, failure.errno == .tooManyOpen, step != nil else { return nil }
        return plan.steps[..<failure.step].last { step in
            if case .limits(.setResourceLimit(.nofile, _, _)) = step.operation { true } else { false }
        }
    }

    /// A limit that leaves the launch what it opens before the command begins, beside what the spec passes on.
    private var enoughDescriptors: Int {
        let highest = plan.steps.lazy.compactMap { step in
            if case .process(.closeDescriptors(let kept)) = step.operation { kept.max() } else { nil }
        }.first
        return (Int(highest ?? 2) / 16 + 2) * 16
    }

    var resourceHint: String? {
        switch failure.errno {
        case .tooManyOpen where descriptorLimit != nil:
            return "the launch opens files of its own before the command begins: rlimits.nofile = \(enoughDescriptors)"
        case .tooManyOpen:
            return
                "no descriptor is left: raise `ulimit -n` (RLIMIT_NOFILE) of the shell that starts immure, or LimitNOFILE= of its unit"
        case .tableFull:
            return "the host has no file left to open; "
                + raised("fs.file-max", at: "/proc/sys/fs/file-max", orElse: 100_000)
        case .noMemory: return memoryHint
        case .again where [.clone3, .fork].contains(failure.call): return processHint
        case .noSpace
        where failure.call == .openTree && evidence.number("/proc/sys/user/max_mnt_namespaces") == 0:
            // A detached tree is in a mount namespace of its own.
            return "mount namespaces are off: user.max_mnt_namespaces is 0; "
                + Remedy.raiseLimit("user.max_mnt_namespaces")
        case .noSpace where failure.call == .moveMount || failure.call == .openTree:
            return "the mount namespace is full; "
                + raised("fs.mount-max", at: "/proc/sys/fs/mount-max", orElse: 100_000)
        case Errno(rawValue: 122): return "the caller's quota is used up"
        default: return nil
        }
    }

    /// Twice of what a limit of the host is.
    private func raised(_ sysctl: String, at path: String, orElse value: Int) -> String {
        let (twice, overflow) = (evidence.number(path) ?? value).multipliedReportingOverflow(by: 2)
        return Remedy.setSysctl(sysctl, to: overflow ? .max : twice)
    }

    private var memoryHint: String {
        // Two kernel limits besides memory itself answer ENOMEM to a fork: pid_max in a dying pid namespace, and
        // overcommit.
        if evidence.number("/proc/sys/vm/overcommit_memory") == 2 {
            return "memory is accounted strictly here, and none is left to commit; "
                + Remedy.setSysctl("vm.overcommit_memory", to: 0)
        }
        return "memory has run out, or a memory limit of this cgroup or RLIMIT_AS is reached"
    }

    private var processHint: String {
        if let limit = evidence.text("/proc/self/limits")?.split(separator: "\n").first(where: {
            $0.hasPrefix("Max processes")
        }) {
            let fields = limit.split(separator: " ")
            if fields.count > 2, fields[2] != "unlimited" {
                return "no process can be started: `ulimit -u` (RLIMIT_NPROC) is \(fields[2]) for this user, "
                    + "and pids.max of the cgroup may be lower"
            }
        }
        return "no process can be started: pids.max of the cgroup or kernel.pid_max is reached"
    }
}
