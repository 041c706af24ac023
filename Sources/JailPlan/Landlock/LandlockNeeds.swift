import JailSpec
import SpecFile

/// Which version of Landlock's interface the keys of a spec ask for.
extension Planner {
    /// Whether the running kernel has what is needed, or the spec allows to go without.
    mutating func checkLandlock(_ policy: LandlockPolicy, at position: Position?) -> Bool {
        let abi = host.landlockABI
        guard abi > 0 else {
            fault(
                "the running kernel has no Landlock", at: position,
                hint: "boot with lsm=landlock,… (Linux 5.13 with CONFIG_SECURITY_LANDLOCK), or remove [landlock]")
            return false
        }
        if let minimum = policy.minimumABI, abi < minimum.value {
            fault(
                "the running kernel has version \(abi) of Landlock's interface, and \(minimum.value) is the minimum",
                at: minimum.position, hint: "boot a newer kernel: immure doctor says which version came with which")
            return false
        }
        var isComplete = true
        for need in needs(of: policy) where abi < need.abi {
            // What minimum_abi does not allow to be missing must be there.
            if let minimum = policy.minimumABI, need.abi > minimum.value {
                note("landlock: \(need.lack) (version \(need.abi) of its interface, here \(abi))", at: need.position)
            } else {
                isComplete = false
                fault(
                    "\(need.what) needs version \(need.abi) of Landlock's interface, the running kernel has \(abi)",
                    at: need.position,
                    hint: "boot a newer kernel, or allow less to be enforced by landlock.minimum_abi = \(abi)")
            }
        }
        return isComplete
    }

    private struct Need {
        let abi: Int
        let what: String
        /// What becomes of it where the kernel lacks it.
        let lack: String
        let position: Position?
    }

    /// What each key asks of the kernel, by the first version of the interface that has it.
    private func needs(of policy: LandlockPolicy) -> [Need] {
        var needs: [Need] = []
        if let files = policy.files {
            if let writable = policy.rules.first(where: { $0.grant.writes }) {
                needs.append(
                    Need(
                        abi: 2, what: "moving files between directories (\(writable.grant.rawValue))",
                        lack: "no file can be moved or linked to another directory", position: writable.path.position))
            }
            needs.append(
                Need(
                    abi: 3, what: "landlock.\(files.value.rawValue), to keep files from being truncated,",
                    lack: "truncate(2) is not restricted", position: files.position))
            needs.append(
                Need(
                    abi: 5, what: "landlock.\(files.value.rawValue), to restrict ioctl(2) on devices,",
                    lack: "ioctl(2) on devices is not restricted", position: files.position))
        }
        if let ports = policy.bindTCP {
            needs.append(
                Need(
                    abi: 4, what: "landlock.bind_tcp", lack: "bind_tcp is not restricted", position: ports.position))
        }
        if let ports = policy.connectTCP {
            needs.append(
                Need(
                    abi: 4, what: "landlock.connect_tcp", lack: "connect_tcp is not restricted",
                    position: ports.position))
        }
        for scope in policy.scope?.value ?? [] {
            let word = scope.value.rawValue
            needs.append(
                Need(
                    abi: 6, what: "landlock.scope \"\(word)\"", lack: "the scope \"\(word)\" is not restricted",
                    position: scope.position))
        }
        return needs
    }
}
