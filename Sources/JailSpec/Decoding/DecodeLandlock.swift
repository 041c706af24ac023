import SpecFile

extension Section {
    /// `[landlock]`; nil where the section is absent or empty.
    mutating func landlock() -> Located<LandlockPolicy>? {
        guard var section = section("landlock") else { return nil }
        var result = LandlockPolicy()
        result.ro = section.distinct("ro", Form.jailPath)?.value ?? []
        result.rx = section.distinct("rx", Form.jailPath)?.value ?? []
        result.rw = section.distinct("rw", Form.jailPath)?.value ?? []
        result.rwx = section.distinct("rwx", Form.jailPath)?.value ?? []
        result.bindTCP = section.ports("bind_tcp")
        result.connectTCP = section.ports("connect_tcp")
        result.scope = section.distinct("scope", Form.word(LandlockPolicy.Scope.self))?.value ?? []
        result.minimumABI = section.value("minimum_abi", Form.integer(1...1000))
        section.finish()
        return result == LandlockPolicy() ? nil : Located(result, at: section.position)
    }

    private mutating func ports(_ key: String) -> Located<[UInt16]>? {
        distinct(key, Form.integer(0...UInt16.max)).map { Located($0.value.map(\.value), at: $0.position) }
    }
}
