package import JailSpec

/// What a profile has to know of the jail.
package struct FilterContext: Sendable {
    package var architecture = Architecture.native
    /// What the command may ever have: a kept capability opens the calls that it is for.
    package var capabilities: CapabilitySet = []
    /// Whether the command may make namespaces and mounts of its own.
    package var isNested = false
    /// Whether no process but the jail's own is in sight.
    package var ownsProcesses = true
    /// The running kernel; nil: one that is younger than any that a profile asks for.
    package var kernel: KernelVersion?

    package init() {}
}

extension FilterContext {
    /// Whether the default profile opens nothing here that it has closed in the smallest jail.
    var opensNothing: Bool { capabilities.rawValue == 0 && !isNested && ownsProcesses }

    /// Whether the jail has what a refused call is for; the capability is the one that the kernel asks for.
    func opens(_ kind: CallKind) -> Bool {
        let held = capabilities
        return switch kind {
        case .strict, .usual, .guarded: true
        case .namespaces: isNested
        case .mounts: isNested || held.contains(.sys_admin)
        case .chroot: isNested || held.contains(.sys_chroot)
        case .administration: held.contains(.sys_admin)
        case .kernelLog: held.contains(.syslog) || held.contains(.sys_admin)
        case .programs: held.contains(.bpf) || held.contains(.sys_admin)
        case .measuring: held.contains(.perfmon) || held.contains(.sys_admin)
        case .boot: held.contains(.sys_boot)
        case .modules: held.contains(.sys_module)
        case .accounting: held.contains(.sys_pacct)
        case .tracing: ownsProcesses || held.contains(.sys_ptrace)
        case .otherProcesses: held.contains(.sys_ptrace)
        case .ports: held.contains(.sys_rawio)
        case .clock: held.contains(.sys_time)
        case .hangup: held.contains(.sys_tty_config)
        case .memoryPolicy: held.contains(.sys_nice)
        case .handles: held.contains(.dac_read_search)
        default: false
        }
    }
}

/// Why a profile decides as it does: the origins that every policy begins with, first those of the kinds of calls.
let profileOrigins: [EffectivePolicy.Origin] = [
    .init("profile \"default\""), .init("profile \"default\""), .init("profile \"default\": guarded arguments"),
    .init("profile \"default\": namespaces"), .init("profile \"default\": mounts"),
    .init("profile \"default\": administration"), .init("profile \"default\": the kernel's log"),
    .init("profile \"default\": programs in the kernel"), .init("profile \"default\": measuring"),
    .init("profile \"default\": reboot"), .init("profile \"default\": chroot"),
    .init("profile \"default\": kernel modules"), .init("profile \"default\": accounting"),
    .init("profile \"default\": processes of the host"), .init("profile \"default\": other processes"),
    .init("profile \"default\": ports"), .init("profile \"default\": the clock"),
    .init("profile \"default\": terminals of others"), .init("profile \"default\": memory policy"),
    .init("profile \"default\": files by handle"), .init("profile \"default\": keyrings, which no namespace separates"),
    .init("profile \"default\": io_uring, which no filter sees into"),
    .init("profile \"default\": page faults handled in user space"), .init("profile \"default\": another kernel"),
    .init("profile \"default\": swap"), .init("profile \"default\": 16-bit segments"),
    .init("not in Linux any more"), .init("younger than the table"), .init("profile \"strict\""),
    .init("profile \"none\""), .init("younger than the profile"),
]

extension EffectivePolicy.Origin {
    static let (younger, strict, none, youngerThanFile) = (27, 28, 29, 30)

    fileprivate init(_ words: String) { self.init(words: words, position: nil) }
}

extension EffectivePolicy {
    /// The profile "none": everything is allowed.
    init(allowingAllOn architecture: Architecture) {
        self.architecture = architecture
        verdicts = [Verdict](repeating: .allow, count: callTable.count)
        origins = [Int](repeating: Origin.none, count: callTable.count)
        sources = profileOrigins
        unknown = .allow
        unknownOrigin = Origin.none
    }

    /// The profile "default".
    init(defaultIn context: FilterContext) {
        self.init(allowingAllOn: context.architecture)
        unknown = .absent
        unknownOrigin = Origin.younger
        // Once for each kind: a jail asks 385 times.
        var byKind = [Verdict](repeating: .allow, count: Int(CallKind.obsolete.rawValue) + 1)
        for raw in byKind.indices {
            guard let kind = CallKind(rawValue: UInt8(raw)), !context.opens(kind) else { continue }
            byKind[raw] = .refuse
        }
        byKind[Int(CallKind.obsolete.rawValue)] = .absent
        let table = callTable
        for index in table.indices {
            let kind = Int(table[index].kind.rawValue)
            verdicts[index] = byKind[kind]
            origins[index] = kind
        }
        guardArguments(context)
    }

    /// The profile "strict": what reads and writes files, computes, waits and starts processes of the same program.
    init(strictOn architecture: Architecture) {
        self.init(allowingAllOn: architecture)
        unknown = .absent
        unknownOrigin = Origin.younger
        let table = callTable
        for index in table.indices {
            origins[index] = Origin.strict
            switch table[index].kind {
            case .strict: break
            case .obsolete: verdicts[index] = .absent
            default: verdicts[index] = .refuse
            }
        }
        guardClone()
        // Asking whether a descriptor is a terminal and how large that is, and the flags of a descriptor: no device.
        verdicts[KnownCall.ioctl] = .refuse
        for request: UInt64 in [0x5401, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451] {
            addRule(KnownCall.ioctl, [.init(1, .equal, request, .max >> 32)], .allow, Origin.strict)
        }
    }

    /// What a call is allowed for, where it is not for everything.
    private mutating func guardArguments(_ context: FilterContext) {
        let origin = Int(CallKind.guarded.rawValue)
        let half: UInt64 = .max >> 32
        if !context.isNested {
            guardClone()
        } else {
            // A jail within joins a session keyring of its own: KEYCTL_JOIN_SESSION_KEYRING.
            addRule(KnownCall.keyctl, [.init(0, .equal, 1, half)], .allow, Int(CallKind.namespaces.rawValue))
        }
        // TIOCSTI and TIOCLINUX type into the terminal that the jail shares with whoever started it. The kernel takes the
        // request as 32 bits, and so does the comparison.
        addRule(KnownCall.ioctl, [.init(1, .equal, 0x5412, half)], .refuse, origin)
        addRule(KnownCall.ioctl, [.init(1, .equal, 0x541c, half)], .refuse, origin)
        // PER_LINUX, PER_LINUX32, UNAME26 with either, and asking: nothing that weakens the layout of memory.
        verdicts[KnownCall.personality] = .refuse
        for persona: UInt64 in [0, 8, 0x20000, 0x20008, 0xffff_ffff] {
            addRule(KnownCall.personality, [.init(0, .equal, persona, half)], .allow, origin)
        }
        // AF_ALG is code of the kernel that hardly anybody needs; AF_VSOCK reaches the host through every namespace.
        addRule(KnownCall.socket, [.init(0, .equal, 38, half)], .noSuchFamily, origin)
        addRule(KnownCall.socket, [.init(0, .equal, 40, half)], .noSuchFamily, origin)
    }

    /// clone(2) without new namespaces; clone3(2), whose flags no filter can read, as if there were none, so that libc
    /// falls back to clone.
    private mutating func guardClone() {
        let origin = Int(CallKind.namespaces.rawValue)
        verdicts[KnownCall.clone] = .allow
        origins[KnownCall.clone] = Int(CallKind.usual.rawValue)
        // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
        addRule(KnownCall.clone, [.init(0, .anyBit, 0x7e02_0000, .max >> 32)], .refuse, origin)
        verdicts[KnownCall.clone3] = .absent
        origins[KnownCall.clone3] = origin
    }

    mutating func addRule(_ call: Int, _ conditions: [Condition], _ verdict: Verdict, _ origin: Int) {
        rules.append(Rule(call: call, conditions: conditions, verdict: verdict, origin: origin))
    }
}

/// Places in the table.
enum KnownCall {
    static let clone = place("clone"), clone3 = place("clone3"), ioctl = place("ioctl"), socket = place("socket")
    static let personality = place("personality"), keyctl = place("keyctl"), execve = place("execve")

    private static func place(_ name: String) -> Int {
        guard let index = CallNames.index(of: name) else { preconditionFailure("\(name) is not in the table") }
        return index
    }
}
