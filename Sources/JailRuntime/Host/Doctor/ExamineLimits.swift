import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// Processes, filters, networks and the programs that later sections need.
extension Examination {
    mutating func process() {
        let restricted = evidence.text("/proc/sys/kernel/yama/ptrace_scope")
        add("process", "init", .ok, "a reaper needs nothing of the host")
        if let restricted { add("process", "ptrace_scope", .ok, "\(restricted) (Yama)") }
        add(
            "process", "keyring", evidence.exists("/proc/keys") ? .ok : .absent,
            evidence.exists("/proc/keys") ? "session keyrings" : "the kernel has no keyrings, so none is shared")
        let limit = evidence.text("/proc/self/limits")?.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        let fields = limit?.split(separator: " ") ?? []
        if fields.count > 4 { add("rlimits", "nofile", .ok, "\(fields[3]):\(fields[4]) for this caller") }
        if evidence.uid != 0 {
            add(
                "rlimits", "hard limits", .absent, "an ordinary user can only lower them",
                remedy: "\(Remedy.launchAsRoot) to raise one")
        }
    }

    mutating func policies() {
        let actions = evidence.text("/proc/sys/kernel/seccomp/actions_avail")
        add(
            "seccomp", "filters", actions == nil ? .absent : .ok, actions ?? "the kernel has no seccomp filters",
            remedy: actions == nil ? "a kernel with CONFIG_SECCOMP_FILTER" : nil)
        landlock()
    }

    /// The version of the interface, and what the keys of the spec need beyond it.
    private mutating func landlock() {
        guard let version = landlockABI() else {
            return add(
                "landlock", "ABI", .absent, "no Landlock",
                remedy: Remedy.bootLandlock)
        }
        let later = LandlockABI.allCases.filter { !$0.isIn(version) && $0.facts.purpose != nil }
        let words = later.map { "\($0.facts.purpose ?? "") (ABI \($0.rawValue), Linux \($0.facts.kernel))" }
        add(
            "landlock", "ABI", later.isEmpty ? .ok : .absent,
            later.isEmpty
                ? "\(version): every key can be enforced" : "\(version), without " + words.joined(separator: "; "),
            remedy: later.last.map {
                "boot Linux \($0.facts.kernel) or later; to do without: landlock.minimum_abi = \(version)"
            })
    }

    mutating func network() {
        add(
            "network", "none",
            Trial.attempt(in: [.user, .net], { () throws(KernelError) in _ = try bringUpLoopback() }), orElse: .broken,
            works: "a network of the jail's own with loopback", remedy: { $0.namespaceHint([.user, .net]) })
        let stack = tool(HostNetwork.Stack.pasta.rawValue) ?? tool(HostNetwork.Stack.slirp4netns.rawValue)
        add(
            "network", "user", stack == nil ? .absent : .ok, stack ?? "neither pasta nor slirp4netns is installed",
            remedy: stack == nil ? Remedy.installPasta : nil)
        let rules = tool(HostNetwork.nft)
        add(
            "network", "rules", rules == nil ? .absent : .ok, rules ?? "nft is not installed",
            remedy: rules == nil ? Remedy.installNFT : nil)
        veth(hasRules: rules != nil)
        let refusal = HostNetwork.tunnelRefusal()
        add(
            "network", "tunnel", refusal == nil ? .ok : .absent,
            refusal.map { "/dev/net/tun cannot be opened by this user: \($0.words)" } ?? "/dev/net/tun can be opened",
            remedy: refusal?.remedy)
    }

    private mutating func veth(hasRules: Bool) {
        guard evidence.text("/proc/sys/net/ipv4/ip_forward")?.hasPrefix("1") == true else {
            return add(
                "network", "veth", .absent, "this host does not forward: a veth without a parent leads nowhere",
                remedy: Remedy.setSysctl("net.ipv4.ip_forward", to: 1))
        }
        guard evidence.uid == 0 else {
            return add("network", "veth", .absent, "interfaces are root's", remedy: Remedy.launchAsRoot)
        }
        var host = HostNetwork()
        host.readRoutes(evidence.text("/proc/self/net/route") ?? "")
        if hasRules { host.findClosedChains(to: host.outerName) }
        if let chain = host.closedChains.first {
            return add(
                "network", "veth", .absent,
                "this host's own rules, chain \(chain.place), let nothing of a jail's interface through",
                remedy: Remedy.forward(chain))
        }
        add(
            "network", "veth", hasRules ? .ok : .absent, "this host forwards what comes from a jail's interface")
    }
}
