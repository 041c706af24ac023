/// Why a profile decides as it does where the kind of the call does not say it.
enum ProfileReason: Int, CaseIterable {
    case younger, strict, none, youngerThanFile, owners

    /// The place among the origins that every policy begins with, after those of the kinds of calls.
    var place: Int { Self.kinds + rawValue }

    private static let kinds = CallKind.allCases.count

    var words: String {
        switch self {
        case .younger: "younger than the table"
        case .strict: "profile \"strict\""
        case .none: "profile \"none\""
        case .youngerThanFile: "younger than the profile"
        case .owners: "owners that the jail does not map"
        }
    }
}

extension EffectivePolicy.Origin {
    /// What every policy begins with: a reason for each kind of call, then the others.
    fileprivate static let ofProfiles =
        CallKind.allCases.map { Self(words: $0.reason, position: nil) }
        + ProfileReason.allCases.map { Self(words: $0.words, position: nil) }
}

extension EffectivePolicy {
    /// The profile "none": everything is allowed.
    init(allowingAllOn architecture: Architecture) {
        self.architecture = architecture
        verdicts = [Verdict](repeating: .allow, count: callTable.count)
        origins = [Int](repeating: ProfileReason.none.place, count: callTable.count)
        sources = Origin.ofProfiles
        unknown = .allow
        unknownOrigin = ProfileReason.none.place
    }

    /// The profile "default".
    init(defaultIn context: FilterContext) {
        self.init(allowingAllOn: context.architecture)
        unknown = .absent
        unknownOrigin = ProfileReason.younger.place
        // Once for each kind: a jail asks 385 times.
        let byKind = CallKind.allCases.map { kind -> Verdict in
            if context.opens(kind) { return .allow }
            return if case .obsolete = kind { .absent } else { .refuse }
        }
        let table = callTable
        for index in table.indices {
            let kind = table[index].kind.place
            verdicts[index] = byKind[kind]
            origins[index] = kind
        }
        guardArguments(context)
        guardOwners(context.owners)
    }

    /// The profile "strict": what reads and writes files, computes, waits and starts processes of the same program.
    init(strictOn architecture: Architecture) {
        self.init(allowingAllOn: architecture)
        unknown = .absent
        unknownOrigin = ProfileReason.younger.place
        let table = callTable
        origins = [Int](repeating: ProfileReason.strict.place, count: table.count)
        for index in table.indices {
            switch table[index].kind {
            case .strict: break
            case .obsolete: verdicts[index] = .absent
            default: verdicts[index] = .refuse
            }
        }
        guardClone()
        // Asking whether a descriptor is a terminal and how large that is, and the flags of a descriptor: no device.
        verdicts[KnownCall.ioctl] = .refuse
        for request: UInt64 in [0x5401, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451] {
            addRule(KnownCall.ioctl, [.init(1, .equal, request, .max >> 32)], .allow, ProfileReason.strict.place)
        }
    }

    /// What a call is allowed for, where it is not for everything.
    private mutating func guardArguments(_ context: FilterContext) {
        let origin = CallKind.guarded.place
        let half: UInt64 = .max >> 32
        if !context.isNested {
            guardClone()
        } else {
            // A jail within joins a session keyring of its own: KEYCTL_JOIN_SESSION_KEYRING.
            addRule(KnownCall.keyctl, [.init(0, .equal, 1, half)], .allow, CallKind.namespaces.place)
            // And an init links the user's keyring into it, without which systemd starts no command (KeyringMode=shared, as of every
            // mount unit): KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING.
            if context.ownsUsers {
                let link: [Condition] = [
                    .init(0, .equal, 8, half), .init(1, .equal, 0xffff_fffc, half), .init(2, .equal, 0xffff_fffd, half),
                ]
                addRule(KnownCall.keyctl, link, .allow, CallKind.namespaces.place)
            }
        }
        // TIOCSTI and TIOCLINUX type into the terminal that the jail shares with whoever started it. The kernel takes the
        // request as 32 bits, and so does the comparison.
        addRule(KnownCall.ioctl, [.init(1, .equal, 0x5412, half)], .refuse, origin)
        addRule(KnownCall.ioctl, [.init(1, .equal, 0x541c, half)], .refuse, origin)
        // PER_LINUX, PER_LINUX32, UNAME26 with either, and asking: nothing that weakens the layout of memory.
        verdicts[KnownCall.personality] = .refuse
        for persona: UInt64 in [0, 8, 0x20000, 0x20008, 0xffff_ffff] {
            addRule(KnownCall.personality, [.init(0, .equal, persona, half)], .allow, origin)
        }
        // AF_ALG is code of the kernel that hardly anybody needs; AF_VSOCK reaches the host through every namespace.
        addRule(KnownCall.socket, [.init(0, .equal, 38, half)], .noSuchFamily, origin)
        addRule(KnownCall.socket, [.init(0, .equal, 40, half)], .noSuchFamily, origin)
    }

    /// clone(2) without new namespaces; clone3(2), whose flags no filter can read, as if there were none, so that libc
    /// falls back to clone.
    private mutating func guardClone() {
        let origin = CallKind.namespaces.place
        verdicts[KnownCall.clone] = .allow
        origins[KnownCall.clone] = CallKind.usual.place
        // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
        addRule(KnownCall.clone, [.init(0, .anyBit, 0x7e02_0000, .max >> 32)], .refuse, origin)
        verdicts[KnownCall.clone3] = .absent
        origins[KnownCall.clone3] = origin
    }

    mutating func addRule(_ call: Int, _ conditions: [Condition], _ verdict: Verdict, _ origin: Int) {
        rules.append(Rule(call: call, conditions: conditions, verdict: verdict, origin: origin))
    }
}

/// Places in the table.
enum KnownCall {
    static let clone = place("clone"), clone3 = place("clone3"), ioctl = place("ioctl"), socket = place("socket")
    static let personality = place("personality"), keyctl = place("keyctl"), execve = place("execve")
    static let chown = place("chown"), fchown = place("fchown"), lchown = place("lchown"), fchownat = place("fchownat")

    private static func place(_ name: String) -> Int {
        guard let index = CallNames.index(of: name) else { preconditionFailure("\(name) is not in the table") }
        return index
    }
}
