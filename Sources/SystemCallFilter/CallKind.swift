/// What the profiles make of a call.
enum CallKind: UInt8, CaseIterable, Sendable {
    /// In the profile "strict" too: files, memory, threads, time, signals.
    case strict
    /// In the profile "default".
    case usual
    /// Looked at by its arguments: ioctl, socket, personality.
    case guarded

    // What is refused, and what opens it.
    case namespaces, mounts, administration, kernelLog, programs, measuring, boot, chroot, modules, accounting
    case tracing, otherProcesses, ports, clock, hangup, memoryPolicy, handles
    case keyrings, ring, faults, newKernel, swap, segments
    /// Linux has it no longer, or never had: ENOSYS.
    case obsolete
}

extension CallKind {
    /// The place in a list made of `allCases`, and among the origins that every policy begins with.
    var place: Int { Int(rawValue) }

    /// Why a profile decides as it does of calls of this kind.
    var reason: String {
        switch self {
        case .strict, .usual: "profile \"default\""
        case .guarded: "profile \"default\": guarded arguments"
        case .namespaces: "profile \"default\": namespaces"
        case .mounts: "profile \"default\": mounts"
        case .administration: "profile \"default\": administration"
        case .kernelLog: "profile \"default\": the kernel's log"
        case .programs: "profile \"default\": programs in the kernel"
        case .measuring: "profile \"default\": measuring"
        case .boot: "profile \"default\": reboot"
        case .chroot: "profile \"default\": chroot"
        case .modules: "profile \"default\": kernel modules"
        case .accounting: "profile \"default\": accounting"
        case .tracing: "profile \"default\": processes of the host"
        case .otherProcesses: "profile \"default\": other processes"
        case .ports: "profile \"default\": ports"
        case .clock: "profile \"default\": the clock"
        case .hangup: "profile \"default\": terminals of others"
        case .memoryPolicy: "profile \"default\": memory policy"
        case .handles: "profile \"default\": files by handle"
        case .keyrings: "profile \"default\": keyrings, which no namespace separates"
        case .ring: "profile \"default\": io_uring, which no filter sees into"
        case .faults: "profile \"default\": page faults handled in user space"
        case .newKernel: "profile \"default\": another kernel"
        case .swap: "profile \"default\": swap"
        case .segments: "profile \"default\": 16-bit segments"
        case .obsolete: "not in Linux any more"
        }
    }
}
