/// The fields of nsjail's config.proto with their types.
enum NsjailFields {
    enum Kind { case text, number, signed, truth, word, message }

    static let top: [String: Kind] = [
        "name": .text, "description": .text, "mode": .word, "hostname": .text, "cwd": .text, "no_pivotroot": .truth,
        "port": .number, "bindhost": .text, "max_conns": .number, "max_conns_per_ip": .number, "time_limit": .number,
        "daemon": .truth, "max_cpus": .number, "nice_level": .signed, "log_fd": .signed, "log_file": .text,
        "log_level": .word, "keep_env": .truth, "envar": .text, "keep_caps": .truth, "cap": .text, "silent": .truth,
        "skip_setsid": .truth, "stderr_to_null": .truth, "pass_fd": .signed, "disable_no_new_privs": .truth,
        "forward_signals": .truth, "disable_tsc": .truth, "oom_score_adj": .signed, "rlimit_as": .number,
        "rlimit_as_type": .word, "rlimit_core": .number, "rlimit_core_type": .word, "rlimit_cpu": .number,
        "rlimit_cpu_type": .word, "rlimit_fsize": .number, "rlimit_fsize_type": .word, "rlimit_nofile": .number,
        "rlimit_nofile_type": .word, "rlimit_nproc": .number, "rlimit_nproc_type": .word, "rlimit_stack": .number,
        "rlimit_stack_type": .word, "rlimit_memlock": .number, "rlimit_memlock_type": .word, "rlimit_rtprio": .number,
        "rlimit_rtprio_type": .word, "rlimit_msgqueue": .number, "rlimit_msgqueue_type": .word, "disable_rl": .truth,
        "persona_addr_compat_layout": .truth, "persona_mmap_page_zero": .truth, "persona_read_implies_exec": .truth,
        "persona_addr_limit_3gb": .truth, "persona_addr_no_randomize": .truth, "clone_newnet": .truth,
        "clone_newuser": .truth, "clone_newns": .truth, "clone_newpid": .truth, "clone_newipc": .truth,
        "clone_newuts": .truth, "clone_newcgroup": .truth, "clone_newtime": .truth, "uidmap": .message,
        "gidmap": .message, "mount_proc": .truth, "mount": .message, "seccomp_policy_file": .text,
        "seccomp_string": .text, "seccomp_log": .truth, "seccomp_unotify": .truth, "seccomp_unotify_report": .text,
        "use_core_scheduling": .truth, "cgroup_mem_max": .number, "cgroup_mem_memsw_max": .number,
        "cgroup_mem_swap_max": .signed, "cgroup_mem_mount": .text, "cgroup_mem_parent": .text,
        "cgroup_pids_max": .number, "cgroup_pids_mount": .text, "cgroup_pids_parent": .text,
        "cgroup_net_cls_classid": .number, "cgroup_net_cls_mount": .text, "cgroup_net_cls_parent": .text,
        "cgroup_cpu_ms_per_sec": .number, "cgroup_cpu_mount": .text, "cgroup_cpu_parent": .text,
        "cgroupv2_mount": .text, "use_cgroupv2": .truth, "detect_cgroupv2": .truth, "iface_no_lo": .truth,
        "iface_own": .text, "macvlan_iface": .text, "macvlan_vs_ip": .text, "macvlan_vs_nm": .text,
        "macvlan_vs_gw": .text, "macvlan_vs_ma": .text, "macvlan_vs_mo": .text, "traffic_rule": .message,
        "user_net": .message, "exec_bin": .message,
    ]

    static let ids: [String: Kind] = [
        "inside_id": .text, "outside_id": .text, "count": .number, "use_newidmap": .truth,
    ]

    static let mount: [String: Kind] = [
        "src": .text, "prefix_src_env": .text, "src_content": .text, "dst": .text, "prefix_dst_env": .text,
        "fstype": .text, "options": .text, "is_bind": .truth, "rw": .truth, "is_dir": .truth, "mandatory": .truth,
        "is_symlink": .truth, "nosuid": .truth, "nodev": .truth, "noexec": .truth,
    ]

    static let program: [String: Kind] = ["path": .text, "arg": .text, "arg0": .text, "exec_fd": .truth]

    static let modes = ["LISTEN", "ONCE", "RERUN", "EXECVE", "0", "1", "2", "3"]
    static let limits = ["VALUE", "SOFT", "HARD", "INF", "0", "1", "2", "3"]
}
