import JailPlan
import LinuxFacts
import TestSupport

/// What the plan's order claims, a row each.
extension Order {
    static let all = namespaces + limits + tree + process

    private static let namespaces: [Order] = [
        Order(
            ["join_namespaces"], before: ["create_namespaces"],
            because: "only children enter a joined pid namespace, setns(2)"),
        Order(
            "sources before the namespaces",
            because: "in a user namespace the first process has no capability over a directory of mode 0700",
            for: .root,
            opensHost, before: { $0.operationName == "create_namespaces" }),
        Order(
            "sources after the namespaces", because: "open_tree(2) with OPEN_TREE_CLONE needs CAP_SYS_ADMIN",
            for: .user,
            { $0.operationName == "create_namespaces" }, before: opensHost),
        Order(
            ["open_pipes"], before: ["join_namespaces", "create_namespaces"],
            because: "within a user namespace nobody has CAP_CHOWN over the caller's pipes"),
        Order(
            ["make_source"], before: ["create_namespaces", "open_tree"],
            because:
                "in a user namespace an id that is not mapped can make nothing (EOVERFLOW), and what is opened is there"
        ),
        Order(
            ["create_namespaces"], before: ["map_identities"],
            because: "uid_map is that of a process in the new namespace, user_namespaces(7)"),
        Order(
            ["map_identities"], before: ["set_identity", "set_groups"],
            because: "an unmapped id is EINVAL, and setgroups(2) is shut until gid_map is written"),
        Order(
            ["map_identities"], before: ["isolate_mounts", "offset_clocks", "forbid_user_namespaces"],
            because:
                "until the map is written the overflow uid owns what the process makes, and /proc files are not its own"
        ),
        Order(
            ["offset_clocks", "set_oom_score", "forbid_user_namespaces"], before: ["set_identity"],
            because: "these files of proc belong to the real root once the ids change, proc(5)"),
        Order(
            ["offset_clocks"], before: ["start_command"],
            because: "a time namespace is entered by the next fork only, time_namespaces(7)"),
        Order(
            ["create_namespaces"], before: ["set_host_name", "bring_up_loopback", "isolate_mounts"],
            because: "else it is the host's name, interface and mounts that change"),
        Order(
            ["set_groups"], before: ["set_identity"],
            because: "a failure between the two must not leave the new user with the old groups"),
    ]

    private static let limits: [Order] = [
        Order(
            ["request_scope"], before: ["enable_controllers"],
            because: "the controllers are those of the group that the scope is"),
        Order(
            ["enable_controllers"], before: ["create_cgroup"],
            because: "a group has the files of the controllers that its parent has enabled"),
        Order(
            ["create_cgroup"], before: ["set_limit"], because: "the limits are files of the group"),
        Order(
            ["set_limit"], before: ["create_namespaces", "enter_cgroup"],
            because: "the first process is born into the group, and nothing runs before its limits hold"),
        Order(
            ["enter_cgroup"], before: ["create_namespaces"],
            because: "the root of a cgroup namespace is where its maker stands, cgroup_namespaces(7)"),
        Order(
            ["create_cgroup"], before: ["join_namespaces"],
            because: "in another mount namespace the host's cgroupfs is out of sight"),
    ]

    private static let tree: [Order] = [
        Order(
            "isolation before the sources of an ordinary user", because: "a clone keeps the propagation of its source",
            for: .user, { $0 == .tree(.isolateMounts) }, before: opensHost),
        Order(
            "sources before the ids of an ordinary user",
            because: "files of mode 0700 are reachable only by the caller's own id", for: .user, opensHost,
            before: { ["set_identity", "set_groups"].contains($0.operationName) }),
        Order(
            ["isolate_mounts"], before: ["begin_root", "attach", "hide", "mask", "protect"],
            because: "a mount attached to a shared one shows on the host, mount_namespaces(7)"),
        Order(
            "the ids before anything is made", because: "a file with an unmapped id is EOVERFLOW",
            { $0.operationName == "set_identity" }, before: makesOwn),
        Order(
            "proc and sysfs before the new root",
            because: "the host's must be in sight, fs/namespace.c mount_too_revealing", isRevealing,
            before: { ["begin_root", "switch_root"].contains($0.operationName) }),
        Order(
            ["begin_root"], before: ["attach", "make_directory", "make_symlink", "hide", "mask", "protect"],
            because: "targets are resolved inside the root"),
        Order(
            ["attach", "make_directory", "make_symlink", "hide", "mask", "protect"], before: ["seal"],
            because: "mount points can be made only while the mount is writable"),
        Order(["seal"], before: ["switch_root"], because: "the command must never see a writable root"),
        Order(
            ["switch_root"], before: ["change_directory", "start_command", "execute"],
            because: "the working directory and the program are those of the jail"),
        Order(
            "the new root before the jail's terminal", because: "the pty is one of the jail's own devpts",
            { $0 == .tree(.switchRoot) }, before: { $0 == .process(.startSession(.jail)) }),
    ]

    private static let process: [Order] = [
        Order(
            ["set_host_name", "bring_up_loopback", "set_nice", "set_affinity", "switch_root", "set_resource_limit"],
            before: ["set_capabilities"],
            because: "they need CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_NICE or CAP_SYS_RESOURCE"),
        Order(
            ["drop_bounding", "set_secure_bits"], before: ["set_capabilities"],
            because: "both need CAP_SETPCAP, capabilities(7)"),
        Order(
            ["set_identity"], before: ["set_secure_bits"],
            because: "the ids change under SECBIT_NO_SETUID_FIXUP, which the locked bits would not take back"),
        Order(
            ["forbid_new_privileges"], before: ["refuse_namespaces"],
            because: "seccomp(2) wants no_new_privs or CAP_SYS_ADMIN"),
        Order(
            ["refuse_namespaces"], before: ["set_capabilities"],
            because: "seccomp(2) wants no_new_privs or CAP_SYS_ADMIN"),
        Order(
            ["join_namespaces", "create_namespaces", "offset_clocks"], before: ["refuse_namespaces"],
            because: "the filter would refuse the launcher's own calls"),
        Order(
            ["drop_bounding", "set_secure_bits", "forbid_new_privileges", "refuse_namespaces", "start_session"],
            before: ["start_command"], because: "the reaper, which lives beside the command, is restricted as well"),
        Order(
            ["start_command"],
            before: [
                "set_resource_limit", "set_umask", "set_capabilities", "close_descriptors", "reset_signals",
                "change_directory",
            ], because: "they are for the command: the reaper keeps its signals and its channel"),
        Order(
            ["set_identity", "set_capabilities"], before: ["die_with_parent"],
            because: "commit_creds() takes the request back where credentials change, prctl(2)"),
        Order(
            "the umask after everything that is made", because: "modes of mount points are to be what they say",
            makesOwn,
            before: { $0.operationName == "set_umask" }),
        Order(
            ["attach", "seal", "switch_root", "start_session"], before: ["enforce_ruleset"],
            because: "Landlock forbids mount(2) and pivot_root(2) to whom it restricts, and paths are the jail's"),
        Order(
            ["set_resource_limit", "set_umask", "enforce_ruleset", "start_command", "forbid_new_privileges"],
            before: ["install_filter"],
            because: "whatever comes after the filter must pass it"),
        Order(["install_filter"], before: ["execute"], because: "the command is what it is for"),
        Order(
            ["create_ruleset"], before: ["allow_path", "allow_port"], because: "a rule belongs to a ruleset"),
        Order(
            ["create_ruleset", "allow_path", "allow_port"], before: ["enforce_ruleset"],
            because: "a rule added later would concern only the next domain"),
        Order(
            ["forbid_new_privileges"], before: ["enforce_ruleset"],
            because: "landlock_restrict_self(2) wants no_new_privs or CAP_SYS_ADMIN"),
        Order(
            ["enforce_ruleset"], before: ["set_capabilities"],
            because: "landlock_restrict_self(2) wants no_new_privs or CAP_SYS_ADMIN"),
        Order(
            ["start_command"], before: ["create_ruleset", "enforce_ruleset"],
            because: "the reaper stays outside the domain, where the command cannot trace it"),
        Order(
            ["close_descriptors"], before: ["change_directory"],
            because: "the working directory is entered with nothing of the host open but what is marked"),
        Order(
            ["set_umask", "close_descriptors", "reset_signals", "change_directory"], before: ["execute"],
            because: "exec ends it"),
    ]

    private static let opensHost: @Sendable (Operation) -> Bool = { operation in
        switch operation {
        case .tree(.fill(_, .tree, _)), .tree(.fill(_, .device, _)): true
        // proc of the host's pid namespace: only root outside may mount it.
        case .tree(.fill(_, .fileSystem(let fileSystem), _)): fileSystem.parameters.contains { $0.key == "hidepid" }
        default: false
        }
    }

    private static let makesOwn: @Sendable (Operation) -> Bool = { operation in
        switch operation {
        case .tree(.fill(_, .fileSystem, _)): !opensHost(operation)
        case .tree(.fill(_, .file, _)), .tree(.attach), .tree(.makeDirectory), .tree(.makeSymlink): true
        default: false
        }
    }

    private static let isRevealing: @Sendable (Operation) -> Bool = { operation in
        if case .tree(.fill(_, .fileSystem(let fileSystem), _)) = operation {
            return ["proc", "sysfs"].contains(fileSystem.type)
        }
        return false
    }
}
