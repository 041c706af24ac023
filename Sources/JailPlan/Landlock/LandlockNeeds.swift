import JailSpec
import LinuxFacts
import SpecFile

/// Which version of Landlock's interface the keys of a spec ask for.
extension Planner {
    /// Whether the running kernel has what is needed, or the spec allows to go without.
    mutating func checkLandlock(_ policy: LandlockPolicy, at position: Position?) -> Bool {
        let abi = host.landlockABI
        if policy.asksForNothing { return true }
        guard abi > 0 else {
            fault(
                "the running kernel has no Landlock", at: position,
                hint: "\(Remedy.bootLandlock), or remove [landlock]")
            return false
        }
        if let minimum = policy.minimumABI, abi < minimum.value {
            fault(
                "the running kernel has version \(abi) of Landlock's interface, and \(minimum.value) is the minimum",
                at: minimum.position, hint: "boot a newer kernel: immure doctor says which version came with which")
            return false
        }
        var isComplete = true
        for need in needs(of: policy) where !need.abi.isIn(abi) {
            let needed = need.abi.rawValue
            // What minimum_abi does not allow to be missing must be there.
            if let minimum = policy.minimumABI, needed > minimum.value {
                note("landlock: \(need.lack) (version \(needed) of its interface, here \(abi))", at: need.position)
            } else {
                isComplete = false
                fault(
                    "\(need.what) needs version \(needed) of Landlock's interface, the running kernel has \(abi)",
                    at: need.position,
                    hint: "boot a newer kernel, or allow less to be enforced by landlock.minimum_abi = \(abi)")
            }
        }
        return isComplete
    }

    private struct Need {
        let abi: LandlockABI
        let what: String
        /// What becomes of it where the kernel lacks it.
        let lack: String
        let position: Position?

        init(_ abi: LandlockABI, _ what: String, lack: String? = nil, at position: Position?) {
            self.abi = abi
            self.what = what
            self.lack = lack ?? abi.facts.lack
            self.position = position
        }
    }

    /// What each key asks of the kernel, by the first version of the interface that has it.
    private func needs(of policy: LandlockPolicy) -> [Need] {
        var needs: [Need] = []
        if let files = policy.files {
            if let writable = policy.rules.first(where: { $0.grant.writes }) {
                let what = "moving files between directories (\(writable.grant.rawValue))"
                needs.append(Need(.refer, what, at: writable.path.position))
            }
            let key = "landlock.\(files.value.rawValue)"
            needs.append(Need(.truncate, key + ", to keep files from being truncated,", at: files.position))
            needs.append(Need(.devices, key + ", to restrict ioctl(2) on devices,", at: files.position))
        }
        for (key, ports) in [("bind_tcp", policy.bindTCP), ("connect_tcp", policy.connectTCP)] {
            guard let ports else { continue }
            needs.append(Need(.ports, "landlock.\(key)", lack: "\(key) is not restricted", at: ports.position))
        }
        for scope in policy.scope?.value ?? [] {
            let word = "scope \"\(scope.value.rawValue)\""
            needs.append(
                Need(.scopes, "landlock.\(word)", lack: "the \(word) is not restricted", at: scope.position))
        }
        return needs
    }
}
