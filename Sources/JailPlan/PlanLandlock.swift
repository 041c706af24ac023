import JailSpec
import SpecFile

extension Planner {
    /// Landlock rules, for the command alone: the reaper stays outside, where the command can neither trace it nor, with
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
        if handled.isEmpty { return }
        add(.createRuleset(handled), origin)
        for rule in policy.rules {
            add(.allowPath(rule.path.value, FileAccess(rule.grant) & handled.files), rule.path.position)
        }
        if handled.bindsTCP, let ports = policy.bindTCP {
            for port in ports.value { add(.allowPort(port, .bind), ports.position) }
        }
        if handled.connectsTCP, let ports = policy.connectTCP {
            for port in ports.value { add(.allowPort(port, .connect), ports.position) }
        }
        if !mayEnforce {
            fault(
                "[landlock] needs no_new_privs where the caller has no privilege",
                at: spec.process.noNewPrivileges.position ?? origin,
                hint: "set process.no_new_privs = true, or namespaces.user = \"new\"")
        }
        add(.enforceRuleset, origin)
    }

    /// landlock_restrict_self(2) asks for no_new_privs, or CAP_SYS_ADMIN in the process's own user namespace.
    private var mayEnforce: Bool {
        spec.process.noNewPrivileges.value || host.isPrivileged || isNew(.user)
    }

    /// Asked of a planner that does not change meanwhile: of one that may, the whole spec would be copied for it.
    private var sharesHostNetwork: Bool { spec.sharesNetwork }

    /// The line that shares the host's network.
    private var sharedNetwork: Position? { spec.namespaces.written[.net]?.position ?? spec.network.mode?.position }

    /// Abstract sockets belong to the network namespace, whatever the mounts are (unix(7)): who shares the host's network
    /// for the sake of TCP would get them all. Where the kernel can it keeps them out, unless `scope` says otherwise.
    private mutating func closesAbstractSockets() -> Bool {
        if host.landlockABI >= 6 && mayEnforce { return true }
        note(
            "the host's abstract sockets are within reach: to keep them out takes version 6 of Landlock's interface"
                + (host.landlockABI >= 6 ? " and no_new_privs" : ", here \(host.landlockABI)"),
            at: sharedNetwork)
        return false
    }

    /// What of the policy this kernel can close.
    private func handled(by policy: LandlockPolicy) -> LandlockHandled {
        let abi = host.landlockABI
        var handled = LandlockHandled()
        if policy.files != nil { handled.files = .known(toABI: abi) }
        handled.bindsTCP = policy.bindTCP != nil && abi >= 4
        handled.connectsTCP = policy.connectTCP != nil && abi >= 4
        for scope in policy.scope?.value ?? [] where abi >= 6 {
            switch scope.value {
            case .signal: handled.scopesSignals = true
            case .abstractUnixSocket: handled.scopesAbstractSockets = true
            }
        }
        return handled
    }
}

extension Spec {
    /// Whether the jail is in the host's network namespace.
    package var sharesNetwork: Bool {
        if let written = namespaces.written[.net] { return written.value.isHost }
        if case .host? = network.mode?.value { return true }
        return false
    }
}
