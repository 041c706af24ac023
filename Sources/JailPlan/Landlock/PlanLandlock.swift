import JailSpec
import LinuxFacts
import SpecFile

extension Planner {
    /// Landlock rules, only for the command: the reaper stays outside, where the command can neither trace it nor, with
    /// the scope of signals, send it any.
    mutating func restrictByLandlock() {
        let policy = spec.landlock?.value ?? LandlockPolicy()
        var origin = spec.landlock?.position
        guard spec.landlock == nil || checkLandlock(policy, at: origin) else { return }
        var handled = handled(by: policy)
        if policy.scope == nil && sharesHostNetwork && closesAbstractSockets() {
            handled.scopesAbstractSockets = true
            origin = origin ?? sharedNetwork
        }
        if policy.scope == nil && handled.isEmpty && sharesHostProcesses && rightsOfTree == nil && closesProcesses() {
            handled.scopesAbstractSockets = true
            origin = origin ?? spec.namespaces.written[.pid]?.position
        }
        if leavesLauncherWithinReach {
            if let written = policy.scope {
                warnOfStop(written)
            } else if closesSignals() {
                handled.scopesSignals = true
                origin = origin ?? spec.namespaces.written[.pid]?.position
            }
        }
        if handled.isEmpty { return }
        handled.leavesMoves = handled.files.isNone && rightsOfTree != nil
        add(.landlock(.createRuleset(handled)), origin)
        for rule in policy.rules {
            add(.landlock(.allowPath(rule.path.value, FileAccess(rule.grant) & handled.files)), rule.path.position)
        }
        if handled.bindsTCP, let ports = policy.bindTCP {
            for port in ports.value { add(.landlock(.allowPort(port, .bind)), ports.position) }
        }
        if handled.connectsTCP, let ports = policy.connectTCP {
            for port in ports.value { add(.landlock(.allowPort(port, .connect)), ports.position) }
        }
        if !mayEnforce {
            fault(
                "[landlock] needs no_new_privs where the caller has no privilege",
                at: spec.process.noNewPrivileges.position ?? origin,
                hint: "set process.no_new_privs = true, or \(Remedy.own(.user))")
        }
        add(.landlock(.enforceRuleset), origin)
    }

    /// landlock_restrict_self(2) asks for no_new_privs, or CAP_SYS_ADMIN in the process's own user namespace.
    var mayEnforce: Bool {
        spec.process.noNewPrivileges.value || host.isPrivileged || isNew(.user)
    }

    /// Asked of a planner that does not change meanwhile: of one that may, the whole spec would be copied for it.
    private var sharesHostNetwork: Bool { spec.sharesNetwork }

    private var sharesHostProcesses: Bool { spec.sharesProcesses }

    /// Whether the launcher, which keeps the deadline, is a process that the command can name.
    private var leavesLauncherWithinReach: Bool {
        if case .direct = plan.shape { return false }
        return !isNew(.pid)
    }

    /// Whoever has the launcher's ids may stop it, and the clock with it, kill(2): a user namespace does not keep them apart.
    private mutating func closesSignals() -> Bool {
        if hasScopes && mayEnforce { return true }
        if spec.timeout != nil {
            warn(
                "\(Self.stop): to keep it from that takes version \(LandlockABI.scopes.rawValue) of Landlock's interface, or a "
                    + "pid namespace", at: spec.namespaces.written[.pid]?.position)
        }
        return false
    }

    private static let stop = "the command can stop the launcher by SIGSTOP, and with it the deadline"

    /// A list that opens signals is the spec's own wish; what it costs is not to be read off it.
    private mutating func warnOfStop(_ scope: Located<[Located<LandlockPolicy.Scope>]>) {
        guard spec.timeout != nil, !scope.value.contains(where: { $0.value == .signal }) else { return }
        let words = [.signal] + scope.value.map(\.value)
        warn(
            Self.stop, at: scope.position,
            hint: "set landlock.scope = [\(words.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))]")
    }

    /// The line that shares the host's network.
    private var sharedNetwork: Position? { spec.namespaces.written[.net]?.position ?? spec.network.mode?.position }

    private var hasScopes: Bool { LandlockABI.scopes.isIn(host.landlockABI) }

    /// Abstract sockets belong to the network namespace, whatever the mounts are (unix(7)): who shares one
    /// for the sake of TCP would get them all. Where the kernel can it keeps them out, unless `scope` says otherwise.
    private mutating func closesAbstractSockets() -> Bool {
        if hasScopes && mayEnforce {
            warnOfDisplay()
            return true
        }
        note(
            "the abstract sockets of others are within reach: to keep them out takes version "
                + "\(LandlockABI.scopes.rawValue) of Landlock's interface"
                + (hasScopes ? " and no_new_privs" : ", here \(host.landlockABI)"),
            at: sharedNetwork)
        return false
    }

    /// An X client asks for the abstract socket first, and takes EPERM, unlike ECONNREFUSED, for the last word: libxcb.
    private mutating func warnOfDisplay() {
        let sockets = "/tmp/.X11-unix"
        let shown = spec.filesystem.mounts.first { mount in
            if case .bind(let path) = mount.source {
                isWithin(path, sockets)
            } else {
                false
            }
        }
        guard let shown else { return }
        warn(
            "X clients ask for the display's abstract socket first, which is refused here, and do not try \(shown.target)",
            at: shown.position, hint: "set network.mode = \"none\", or landlock.scope = []")
    }

    /// A process of the same ids may be traced, and so its environment read and its root entered by /proc/PID/root (proc(5)),
    /// where nothing stands between: a user namespace, or a domain of Landlock, whatever it restricts (landlock(7)).
    private mutating func closesProcesses() -> Bool {
        if hasScopes && mayEnforce { return true }
        warn(
            "the environment, memory and files of the host's processes of the same user are within reach: to keep them out "
                + "takes a user namespace, or version \(LandlockABI.scopes.rawValue) of Landlock's interface",
            at: spec.namespaces.written[.pid]?.position)
        return false
    }

    /// What of the policy this kernel can close.
    private func handled(by policy: LandlockPolicy) -> LandlockHandled {
        let abi = host.landlockABI
        var handled = LandlockHandled()
        if policy.files != nil { handled.files = .known(toABI: abi) }
        handled.bindsTCP = policy.bindTCP != nil && LandlockABI.ports.isIn(abi)
        handled.connectsTCP = policy.connectTCP != nil && LandlockABI.ports.isIn(abi)
        for scope in policy.scope?.value ?? [] where LandlockABI.scopes.isIn(abi) {
            switch scope.value {
            case .signal: handled.scopesSignals = true
            case .abstractUnixSocket: handled.scopesAbstractSockets = true
            }
        }
        return handled
    }
}

extension Spec {
    /// Whether the jail has processes of others in sight, and no user namespace of its own to keep it from theirs.
    package var sharesProcesses: Bool { !namespaces[.pid].value.isNew && !namespaces[.user].value.isNew }
}
