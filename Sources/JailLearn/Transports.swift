/// By which protocols addresses were used.
struct Transports {
    private var seen: [String: Set<String>] = [:]

    init(_ connects: [AccessRecord]) {
        for record in connects { seen[record.path, default: []].insert(record.detail) }
    }

    /// What is written behind a port that was used at these: nothing where both may be. connect(2) of a datagram socket only asks for a
    /// route where TCP follows, getaddrinfo(3); servers of names are asked by either.
    func ending(of paths: [String]) -> String {
        let found = paths.reduce(into: Set<String>()) { $0.formUnion(seen[$1] ?? []) }
        if found.contains("inet") || paths.contains(where: { $0.hasSuffix(":53") }) { return "" }
        let usesTCP = found.contains("tcp")
        let usesUDP = found.contains("udp") || !usesTCP && found.contains("aimed")
        return usesTCP == usesUDP ? "" : usesTCP ? "/tcp" : "/udp"
    }
}
