package import SpecFile

/// The capabilities of capabilities(7), by their kernel numbers: the one table of their names.
package enum Capability: UInt8, CaseIterable, Hashable, Sendable {
    case chown, dac_override, dac_read_search, fowner, fsetid, kill, setgid, setuid, setpcap, linux_immutable
    case net_bind_service, net_broadcast, net_admin, net_raw, ipc_lock, ipc_owner, sys_module, sys_rawio, sys_chroot
    case sys_ptrace, sys_pacct, sys_admin, sys_boot, sys_nice, sys_resource, sys_time, sys_tty_config, mknod, lease
    case audit_write, audit_control, setfcap, mac_override, mac_admin, syslog, wake_alarm, block_suspend, audit_read
    case perfmon, bpf, checkpoint_restore

    /// The name as the spec writes it: lower case, without `cap_`.
    package var name: String { Self.names[Int(rawValue)] }

    /// By its name. In a loop: each look at `allCases` makes it anew.
    package init?(named word: String) {
        for (number, name) in Self.names.enumerated() where name == word {
            self.init(rawValue: UInt8(number))
            return
        }
        return nil
    }

    /// Spelt out: `"\(self)"` asks the runtime for conformances, which costs a launch 0.3 ms.
    private static let names = [
        "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
        "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
        "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
        "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
        "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
        "checkpoint_restore",
    ]
}

/// A set of capabilities as the 64-bit mask of capget(2).
package struct CapabilitySet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The default goes through an existential collection, which the launch has no time for.
    package init(arrayLiteral elements: CapabilitySet...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }

    package init(_ capability: Capability) { self.init(rawValue: 1 << UInt64(capability.rawValue)) }

    package func contains(_ capability: Capability) -> Bool { rawValue >> UInt64(capability.rawValue) & 1 == 1 }

    // Concrete: those of SetAlgebra are looked up at run time by another module, which costs the launch more than the sets.
    package static func | (a: Self, b: Self) -> Self { Self(rawValue: a.rawValue | b.rawValue) }
    package func without(_ other: Self) -> Self { Self(rawValue: rawValue & ~other.rawValue) }
    package var isNone: Bool { rawValue == 0 }

    /// The members in the kernel's order.
    package var capabilities: [Capability] { Capability.allCases.filter { contains($0) } }
}

/// `[capabilities]`: the five sets of capabilities(7) as they were written; what is absent is empty.
package struct CapabilitySets: Equatable, Sendable {
    /// Bounding, permitted and effective, and ambient where the target is not uid 0.
    package var keep: Located<CapabilitySet>?
    package var bounding: Located<CapabilitySet>?
    package var permitted: Located<CapabilitySet>?
    package var effective: Located<CapabilitySet>?
    package var inheritable: Located<CapabilitySet>?
    package var ambient: Located<CapabilitySet>?

    /// Whether the spec has any of them.
    package var isWritten: Bool {
        keep != nil || bounding != nil || permitted != nil || effective != nil || inheritable != nil || ambient != nil
    }

    package init() {}
}
