package import SpecFile

/// `[limits]`: what cgroups(7) version 2 enforces.
package struct Limits: Equatable, Sendable {
    /// `[[limits.io]]`: rates in bytes or operations a second.
    package struct IO: Equatable, Sendable {
        package var device: Located<String>
        package var rbps: Located<UInt64>?
        package var wbps: Located<UInt64>?
        package var riops: Located<UInt64>?
        package var wiops: Located<UInt64>?
        package var weight: Located<UInt64>?

        package init(device: Located<String>) { self.device = device }
    }

    package var memory: Located<UInt64>?
    package var memoryHigh: Located<UInt64>?
    package var swap: Located<UInt64>?
    /// Hundredths of one CPU: 150 for `"150%"`.
    package var cpu: Located<UInt64>?
    package var cpuWeight: Located<UInt64>?
    package var cpus: Located<[Int]>?
    package var pids: Located<UInt64>?
    /// The share of every disk, as io.weight counts it.
    package var ioWeight: Located<UInt64>?
    package var io: [IO] = []
    /// Whether the jail's cgroup is made within the unit that immure was started in.
    package var scope = Located(Scope.unit)

    package init() {}

    /// Where the jail's cgroup is made on a host of systemd's.
    package enum Scope: String, CaseIterable, Equatable, Sendable {
        /// Within the unit that started immure, so that its limits hold as well.
        case unit
        /// In a scope of its own, which is asked for.
        case own
    }
}
