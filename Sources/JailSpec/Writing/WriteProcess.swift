import LinuxFacts
import SpecFile

extension SpecWriter {
    mutating func write(_ process: ProcessAttributes) {
        add("process.no_new_privs", process.noNewPrivileges) { "\($0)" }
        add("process.init", process.initProcess) { "\($0)" }
        add("process.die_with_parent", process.dieWithParent) { "\($0)" }
        add("process.tty", process.tty) { TOML.string($0.rawValue) }
        add("process.fds", process.fds) { TOML.array($0.map { "\($0)" }) }
        add("process.locks", process.locks) { TOML.array($0.map(TOML.path)) }
        add("process.nice", process.nice) { "\($0)" }
        add("process.oom_score_adj", process.oomScoreAdjust) { "\($0)" }
        add("process.cpus", process.cpus) { TOML.string($0.map { "\($0)" }.joined(separator: ",")) }
        add("process.keyring", process.keyring) { TOML.string($0.rawValue) }
        add("process.stop_signal", process.stopSignal) { TOML.string(SignalName.name($0)) }
        add("process.boot", process.boot) { "\($0)" }
        add("process.argv0", process.argv0) { TOML.string($0) }
        add("process.jobserver", process.jobserver) { "\($0)" }
    }

    mutating func write(_ environment: EnvironmentRules) {
        add("environment.defaults", environment.defaults) { "\($0)" }
        for (key, list) in [("keep", environment.keep), ("unset", environment.unset)] where !list.isEmpty {
            add("environment.\(key)", TOML.array(list.map { TOML.string($0.value) }))
        }
        if !environment.path.isEmpty {
            add("environment.path", TOML.array(environment.path.map { TOML.path($0.value) }))
        }
        if environment.set.isEmpty { return }
        let pairs = environment.set.map { "\(TOML.string($0.name)) = \(TOML.path($0.value.value))" }
        add("environment.set", "{ \(pairs.joined(separator: ", ")) }")
    }

    mutating func write(_ service: Service) {
        add("service.notify", service.notify) { TOML.string($0.rawValue) }
        add("service.sockets", service.sockets) { "\($0)" }
        add("service.credentials", service.credentials) { "\($0)" }
        add("service.journal", service.journal) { "\($0)" }
        add("service.die_by_signal", service.dieBySignal) { "\($0)" }
        add("service.optional", service.optional) { "\($0)" }
    }
}
