import JailPlan
import JailSpec
package import Kernel
import SpecFile
import SystemCallFilter

/// A call of the launch that a filter from outside does not let through.
package struct RefusedTrial: Equatable, Sendable {
    package let name: String
    /// What was answered in place of the kernel; nil where the caller was killed.
    package let errno: Errno?

    package init(name: String, errno: Errno?) { (self.name, self.errno) = (name, errno) }
}

/// What of a launch decides which calls it makes.
package struct CallNeeds: Sendable {
    let mounts: Bool, hostname: Bool, keyring: Bool, loopback: Bool
    /// Whether the groups of the command are set; nil where that is not known yet.
    let groups: Bool?

    init(_ plan: Plan) {
        mounts = plan.makes(.mount)
        func has(_ isWanted: (Operation) -> Bool) -> Bool { plan.steps.contains { isWanted($0.operation) } }
        hostname = has { if case .process(.setHostName) = $0 { true } else { false } }
        keyring = has { if case .process(.newKeyring) = $0 { true } else { false } }
        loopback = has { if case .network(.bringUpLoopback) = $0 { true } else { false } }
        groups = has { if case .identity(.setGroups) = $0 { true } else { false } }
    }

    init(_ spec: Spec) {
        mounts = spec.namespaces[.mount].value.isNew
        hostname = spec.hostname != nil
        keyring = if case .new = spec.process.keyring.value { true } else { false }
        loopback = spec.namespaces[.net].value.isNew && !spec.sharesNetwork
        groups = nil
    }
}

/// Each call that not every program makes, tried with arguments that the kernel itself refuses in a known way.
enum TriedCalls {
    private struct Trial {
        let name: String
        let arguments: [Int]
        /// What the kernel answers, or what the launch puts up with.
        let expected: [Errno]

        init(_ name: String, _ arguments: [Int], _ expected: [Errno]) {
            (self.name, self.arguments, self.expected) = (name, arguments, expected)
        }
    }

    /// What a launch puts up with where it is refused: newer than many a list of names.
    static let dispensable = ["statmount", "listmount", "mknodat"]

    private static let done = Errno(rawValue: 0)

    /// Those that a launch would find refused.
    static func refused(_ needs: CallNeeds) -> [RefusedTrial] {
        var found = refused(common)
        found += refusedGroups(needs, isFiltered: found.contains { $0.name == "setresgid" })
        guard needs.mounts else { return found + refused(trials(of: needs)) }
        found += refused(mounting)
        // They ask for the right to mount first, which the child may lack: with EPERM one is known by the others.
        let isFiltered = found.contains { $0.name == "mount_setattr" }
        found += refused(privileged).filter { $0.errno != .notPermitted || isFiltered }
        return found + refused(trials(of: needs))
    }

    /// A new user namespace has no groups to set, so that it is tried here, where the kernel may answer EPERM as well: to one without
    /// the capability, or where it is denied. A filter that refuses the others of its kind is taken to refuse it as well.
    private static func refusedGroups(_ needs: CallNeeds, isFiltered: Bool) -> [RefusedTrial] {
        let isKnown = isFiltered || Caller.permitted?.contains(.setgid) == true && !Evidence.host.deniesGroups
        let isNeeded = needs.groups ?? isFiltered
        return refused([Trial("setgroups", [-1, 0], [.invalid])]).filter {
            $0.errno != .notPermitted || isKnown && isNeeded
        }
    }

    private static func refused(_ trials: [Trial]) -> [RefusedTrial] {
        trials.compactMap { trial in
            guard let number = CallNames.nativeNumber(of: trial.name) else { return nil }
            switch tryCall(number, trial.arguments, inOwnNamespaces: trial.name != "setgroups") {
            case .untried: return nil
            case .killed: return RefusedTrial(name: trial.name, errno: nil)
            case .answered(let errno):
                return trial.expected.contains(errno) ? nil : RefusedTrial(name: trial.name, errno: errno)
            }
        }
    }

    private static let common = [
        Trial("clone3", [0, 0], [.invalid]),
        // A bit that stands for nothing, with CLONE_NEWUSER.
        Trial("unshare", [0x1000_0001], [.invalid]), Trial("setns", [-1, 0], [.badDescriptor, .invalid]),
        Trial("setresuid", [-1, -1, -1], [done]), Trial("setresgid", [-1, -1, -1], [done]),
        Trial("prctl", [-1], [.invalid]), Trial("personality", [0xFFFF_FFFF], [done, .notPermitted]),
        Trial("capset", [0, 0], [.badAddress]), Trial("seccomp", [-1], [.invalid]),
        // The filter of RestrictSUIDSGID= cannot look into its arguments: it is done without.
        Trial("openat2", [-1, 0, 0, 0], [.invalid, .badAddress, .unsupported]),
        Trial("close_range", [1, 0, 0], [.invalid]), Trial("pidfd_open", [-1, 0], [.invalid]),
        // The host is asked for its version; what refuses that is as good as a kernel without it.
        Trial(
            "landlock_create_ruleset", [0, 0, 0], [.badAddress, .invalid, .notSupported, .unsupported, .notPermitted]),
        // Newer than many a list of names; what refuses it is put up with, what kills for it is not.
        Trial("statmount", [0, 0, 0, 1], [.invalid, .unsupported, .notPermitted, .badAddress]),
        Trial("listmount", [0, 0, 0, 1], [.invalid, .unsupported, .notPermitted, .badAddress]),
    ]

    /// The last bit of a word of flags: those that kernels have given a meaning to are counted from the first. (2 of fsmount(2) stood
    /// for nothing before Linux 7.0.)
    private static let meaningless = 0x8000_0000

    private static let mounting = [
        Trial("open_tree", [-1, 0, 0], [.badAddress]), Trial("mount_setattr", [-1, 0, meaningless], [.invalid]),
        Trial("mknodat", [-1, 0, 0, 0], [.badAddress]), Trial("fsconfig", [-1, 0], [.invalid]),
        Trial("umount2", [0, meaningless], [.invalid]),
    ]

    private static let privileged = [
        Trial("fsopen", [0, meaningless], [.invalid]), Trial("fsmount", [-1, meaningless], [.invalid]),
        Trial("move_mount", [-1, 0, -1, 0, meaningless], [.invalid]), Trial("pivot_root", [0, 0], [.badAddress]),
    ]

    private static func trials(of needs: CallNeeds) -> [Trial] {
        var trials: [Trial] = []
        if needs.hostname { trials.append(Trial("sethostname", [0, -1], [.invalid])) }
        if needs.keyring { trials.append(Trial("keyctl", [-1], [.notSupported, .unsupported])) }
        if needs.loopback { trials.append(Trial("socket", [2, 0x8_0002, 0], [done])) }
        return trials
    }
}
