import SpecFile

extension SpecWriter {
    mutating func write(_ policy: SeccompPolicy) {
        func word(_ action: SeccompPolicy.Action) -> String {
            switch action {
            case .allow: TOML.string("allow")
            case .kill: TOML.string("kill")
            case .log: TOML.string("log")
            case .trap: TOML.string("trap")
            // Every number that a spec can have given was a name.
            case .errno(let number): TOML.string(ErrorNumber.name(of: number) ?? "EPERM")
            }
        }
        add("seccomp.profile", policy.profile) { profile in
            switch profile {
            case .default: TOML.string("default")
            case .strict: TOML.string("strict")
            case .none: TOML.string("none")
            case .file(let path): TOML.string(path)
            }
        }
        add("seccomp.default", policy.defaultAction, word)
        for (key, calls) in [
            ("allow", policy.allow), ("deny", policy.deny), ("log", policy.log), ("kill", policy.kill),
        ] where !calls.isEmpty {
            add("seccomp.\(key)", TOML.array(calls.map { TOML.string($0.value) }))
        }
        add("seccomp.architectures", policy.abis) { TOML.array($0.map { TOML.string($0.rawValue) }) }
        add("seccomp.bpf", policy.programs) { TOML.array($0.map { "\($0)" }) }
        let rules = policy.rules.map { rule in
            let arguments = rule.arguments.map { argument in
                let value = Int(argument.value.value).map { "\($0)" } ?? TOML.string(argument.value.value)
                return "{ index = \(argument.index), op = \(TOML.string(argument.op.rawValue)), value = \(value) }"
            }
            return
                "{ call = \(TOML.string(rule.call.value)), action = \(word(rule.action)), args = \(TOML.array(arguments)) }"
        }
        if !rules.isEmpty { add("seccomp.rule", TOML.array(rules)) }
    }

    mutating func write(_ policy: LandlockPolicy) {
        for grant in LandlockPolicy.Grant.allCases {
            let paths = policy.rules.filter { $0.grant == grant }.map { TOML.string($0.path.value) }
            // A list that is empty counts where it is the first that was written.
            let isFirst = policy.files.map { $0.value == grant } ?? false
            if !paths.isEmpty || isFirst { add("landlock.\(grant.rawValue)", TOML.array(paths)) }
        }
        add("landlock.bind_tcp", policy.bindTCP) { TOML.array($0.map { "\($0)" }) }
        add("landlock.connect_tcp", policy.connectTCP) { TOML.array($0.map { "\($0)" }) }
        add("landlock.scope", policy.scope) { TOML.array($0.map { TOML.string($0.value.rawValue) }) }
        add("landlock.minimum_abi", policy.minimumABI) { "\($0)" }
    }
}
