extension Draft {
    /// A sysctl of the jail's namespaces, which has no line: most that are set restrict, those of speed and waiting do not.
    mutating func loseSetting(_ name: String, _ value: String, _ directive: Directive) {
        let number = Int64(value.trimmed)
        let isOpening =
            switch name.split(separator: "/").joined(separator: ".") {
            case "net.ipv4.ip_unprivileged_port_start": number.map { $0 <= 1024 } ?? false
            case "net.ipv4.ping_group_range", "net.core.somaxconn", "net.ipv4.ip_local_port_range": true
            case let name where name.hasPrefix("net.ipv4.tcp_"): true
            case let name where name.hasSuffix("forward") || name.hasSuffix("forwarding"): number != 0
            case let name where name.hasSuffix(".disable_ipv6"): number == 0
            default: false
            }
        lose("a setting of the jail's namespaces", restricts: !isOpening, directive)
    }

    /// How many hundredths of a processor a quota in a period is, at least one; nil where it is none.
    func percent(_ quota: Int64, of period: Int64) -> Int64? {
        guard quota > 0, period > 0 else { return nil }
        let (product, overflow) = quota.multipliedReportingOverflow(by: 100)
        return overflow ? nil : max(1, product / period)
    }
}
