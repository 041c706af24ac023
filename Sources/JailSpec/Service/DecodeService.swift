import SpecFile

extension Section {
    /// `[service]`.
    mutating func service() -> Service {
        var result = Service()
        guard var section = section("service") else { return result }
        result.notify = section.value("notify", Form.word(Service.Notify.self)) ?? result.notify
        result.sockets = section.value("sockets", Form.boolean) ?? result.sockets
        result.credentials = section.value("credentials", Form.boolean) ?? result.credentials
        result.journal = section.value("journal", Form.boolean) ?? result.journal
        result.dieBySignal = section.value("die_by_signal", Form.boolean) ?? result.dieBySignal
        result.optional = section.value("optional", Form.boolean) ?? result.optional
        section.finish()
        return result
    }
}
