import CLinux

/// A set of rules that closes the accesses of the three masks, but for what is then allowed. The corresponding C call is
/// `landlock_create_ruleset`.
package func makeRuleset(files: UInt64, network: UInt64, scopes: UInt64) throws(KernelError) -> Descriptor {
    // The kernel makes it close-on-exec.
    Descriptor(owning: try attempt(.landlockCreateRuleset) { linux_landlock_create(files, network, scopes) })
}

/// Allows `access` to what `path` (`O_PATH`) is open on, and to all below it. The corresponding C call is
/// `landlock_add_rule(LANDLOCK_RULE_PATH_BENEATH)`.
package func allow(_ access: UInt64, beneath path: Int32, in ruleset: Int32) throws(KernelError) {
    try attempt(.landlockAddRule) { linux_landlock_allow_path(ruleset, path, access) }
}

/// Allows a TCP port to be used so. The corresponding C call is `landlock_add_rule(LANDLOCK_RULE_NET_PORT)`.
package func allow(_ access: UInt64, port: UInt16, in ruleset: Int32) throws(KernelError) {
    try attempt(.landlockAddRule) { linux_landlock_allow_port(ruleset, UInt64(port), access) }
}

/// What mount(2) says to a request without a source to move: EINVAL to whoever may mount, and EPERM to whom Landlock
/// restricts files, which it forbids before the request is looked at. Changes nothing.
package func refusalOfMount() -> Errno? {
    do throws(KernelError) {
        try attempt(.mount, "/") { unsafe mount(nil, "/", nil, UInt(MS_MOVE), nil) }
        return nil
    } catch {
        return error.errno
    }
}

/// Puts the caller, and whatever it starts, under the rules for good. The corresponding C call is
/// `landlock_restrict_self`.
package func enforce(_ ruleset: Int32) throws(KernelError) {
    try attempt(.landlockRestrictSelf) { linux_landlock_restrict(ruleset) }
}
