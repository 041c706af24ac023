package import JailSpec
package import SpecFile

/// What a profile has to know of the jail.
package struct FilterContext: Sendable {
    package var architecture = Architecture.native
    /// What the command may ever have: a kept capability opens the calls that it is for.
    package var capabilities: CapabilitySet = []
    /// Whether the command may make namespaces and mounts of its own.
    package var isNested = false
    /// Whether no process but the jail's own is in sight.
    package var ownsProcesses = true
    /// Whether the user namespace is the jail's own, and with it the keyrings of its users.
    package var ownsUsers = true
    /// The running kernel; nil: one that is younger than any that a profile asks for.
    package var kernel: KernelVersion?
    /// Whom files can belong to; nil: anybody, as far as is known.
    package var owners: MappedOwners?
    /// The line by which the jail makes files that are another's on the host, and whose rights it must not give them.
    package var filesOfOthers: Located<Bool>?

    package init() {}
}

extension FilterContext {
    /// Whether the default profile opens nothing here that it has closed in the smallest jail.
    var opensNothing: Bool { capabilities.rawValue == 0 && !isNested && ownsProcesses }
}

extension FilterContext {
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
        case .keyrings, .ring, .faults, .newKernel, .swap, .segments, .obsolete: false
        }
    }
}
