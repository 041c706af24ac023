import SpecFile

/// Shares as engines of containers give them, by the scales of cgroups(7), version 1; with the formulas of runc and crun.
extension Draft {
    /// Of the processors' time, 2 to 262144.
    mutating func sharesOfProcessors(_ shares: Int64, _ directive: Directive) {
        let bounded = min(max(shares, 2), 262_144)
        set("limits.cpu_weight", .integer(1 + ((bounded - 2) * 9999) / 262_142), directive)
    }

    /// Of every disk, 10 to 1000; 0 is none.
    mutating func weightOfBlocks(_ weight: Int64, _ directive: Directive) {
        switch weight {
        case 0: isInForce(.nothing, "as without it", directive)
        case 10...1000: set("limits.io_weight", .integer(1 + ((weight - 10) * 9999) / 990), directive)
        default: fail("a weight on disks is 10 to 1000", directive)
        }
    }
}
