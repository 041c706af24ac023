import JailSpec
import SpecFile

extension Check {
    static let limits: [Check] = [
        Check("rlimits", advice: "a number, or leave it out to keep the caller's") { spec in
            spec.rlimits.filter { $0.hard == nil }.map { limit in
                Opening(weight: 1, what: "\(limit.resource.name) has no limit", origin: limit.position)
            }
        }
    ]
}

/// Limits that hold something back: one that is above what a machine has is as good as none. The score does not look at
/// the machine; the bounds are those of a large one.
extension Limits {
    /// Below 64 GB.
    var realMemory: Located<UInt64>? { memory?.found { $0 < 64 << 30 } }
    /// Below 32768, the ids that a kernel has to give unless it is told otherwise (proc(5), pid_max).
    var realPIDs: Located<UInt64>? { pids?.found { $0 < 32768 } }
    /// Below 64 processors.
    var realCPU: Located<UInt64>? { cpu?.found { $0 < 6400 } }
}
