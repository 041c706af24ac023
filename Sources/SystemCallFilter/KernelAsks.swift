package import JailSpec

/// What the kernel asks of whoever makes a call that the profile "default" refuses, capabilities(7).
package enum KernelAsks: Equatable, Sendable {
    /// Nothing, of most arguments at least.
    case nothing
    /// A capability in the user namespace that the jail has of its own.
    case ofJail(Capability)
    /// One that counts in the host's user namespace alone.
    case ofHost(Capability)

    package init(of name: String, _ arguments: [UInt64]) {
        guard let index = CallNames.index(of: name) else {
            self = .nothing
            return
        }
        self =
            switch callTable[index].kind {
            // Without OPEN_TREE_CLONE it only opens.
            case .mounts where name == "open_tree" && arguments[2] & 1 == 0: .nothing
            case .mounts: .ofJail(.sys_admin)
            case .chroot: .ofJail(.sys_chroot)
            case .boot: .ofJail(.sys_boot)
            case .administration where name == "sethostname" || name == "setdomainname": .ofJail(.sys_admin)
            case .administration where name.hasPrefix("quotactl"): .ofHost(.sys_admin)
            case .swap: .ofHost(.sys_admin)
            case .kernelLog: .ofHost(.syslog)
            case .programs: .ofHost(.bpf)
            case .measuring: .ofHost(.perfmon)
            case .modules: .ofHost(.sys_module)
            case .newKernel: .ofHost(.sys_boot)
            case .accounting: .ofHost(.sys_pacct)
            case .ports: .ofHost(.sys_rawio)
            case .clock: .ofHost(.sys_time)
            case .hangup: .ofHost(.sys_tty_config)
            case .handles: .ofHost(.dac_read_search)
            case .strict, .usual, .guarded, .namespaces, .administration, .tracing, .otherProcesses, .memoryPolicy,
                .keyrings, .ring, .faults, .segments, .obsolete:
                .nothing
            }
    }
}
