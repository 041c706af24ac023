extension Manual {
    /// Which directives of systemd.exec(5) go with a jail. Each row is tried by a test, for every one of the callers that it names.
    static func directives(_ page: inout Roff) {
        page.subsection("Directives of a unit")
        page.paragraph(
            """
            What the unit takes from the launcher it takes from the jail as well. A launch for which it has taken too much fails before
            anything of the command runs, and says all that the unit has to be given, in one go.
            """)
        for (tags, words) in rows { page.item(tags.joined(separator: ", "), words) }
        page.paragraph(
            """
            A systemd that does not know one of these, or its value, says so in the journal and goes without it: 252 knows none of those
            of 257. From 258 on it needs control groups of version 2, as `[limits]` always does. In a container of systemd-nspawn a jail
            goes without keyring and /proc/sys (`process.keyring = "inherit"`, `namespaces.nested = true`), and from 257 on without a
            /proc of its own (`filesystem.proc = false`).
            """)
    }

    private static let rows: [(tags: [String], words: String)] = [
        (
            [
                "NoNewPrivileges=yes", "LockPersonality=yes", "ProtectProc=invisible",
                "ProtectKernelModules=yes", "ProtectClock=yes", "PrivateDevices=yes",
                "DevicePolicy=closed", "PrivateNetwork=yes", "PrivateIPC=yes", "PrivateMounts=yes", "PrivateUsers=yes",
                "MemoryDenyWriteExecute=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes",
                "SystemCallArchitectures=native", "SystemCallFilter=~@resources", "IPAddressDeny=any",
                "KeyringMode=private",
                "AmbientCapabilities=CAP_NET_BIND_SERVICE", "SecureBits=keep-caps", "UMask=0777", "Nice=5",
                "LimitCORE=0",
                "LimitMEMLOCK=0", "LimitNOFILE=64", "TasksMax=16", "CPUAffinity=0", "CPUSchedulingPolicy=idle",
                "IOSchedulingClass=idle", "OOMScoreAdjust=500", "TimerSlackNSec=1ms", "StandardInput=null",
            ], "Fit: root, User= and DynamicUser= alike."
        ),
        (
            [
                "WorkingDirectory=/usr", "Group=audio", "SupplementaryGroups=audio", "BindPaths=/srv:/mnt",
                "BindReadOnlyPaths=/usr:/mnt", "Personality=x86-64", "SystemCallLog=@mount", "LimitCPU=60",
                "LimitRSS=1M",
                "LimitLOCKS=1", "LimitSIGPENDING=0", "LimitMSGQUEUE=0", "LimitNICE=0", "LimitRTPRIO=0",
                "LimitRTTIME=1s",
                "DeviceAllow=/dev/null rw", "MountFlags=slave", "MountAPIVFS=yes", "RemoveIPC=yes", "IgnoreSIGPIPE=no",
                "StateDirectory=t", "RuntimeDirectory=t", "CacheDirectory=t", "LogsDirectory=t",
                "ConfigurationDirectory=t",
                "MemoryMax=64M", "MemoryHigh=64M", "CPUQuota=50%", "IPAddressAllow=localhost", "Environment=A=b",
                "UnsetEnvironment=PATH", "PassEnvironment=HOME", "ExecSearchPath=/usr/bin",
                "CPUSchedulingResetOnFork=yes",
                "NUMAPolicy=default", "AllowedCPUs=0", "CoredumpFilter=all", "UtmpIdentifier=x",
                "LoadCredential=a:/etc/hostname", "SetCredential=a:b", "Slice=system.slice",
                "NetworkNamespacePath=/proc/1/ns/net", "IPCNamespacePath=/proc/1/ns/ipc",
            ], "Fit: root, User= and DynamicUser= alike, each by itself."
        ),
        (
            ["LimitFSIZE=0"],
            "Fit: root and User= alike. For a name that the host's files do not have the launcher writes copies of them."
        ),
        (
            ["RestrictNamespaces=user mnt pid net ipc uts cgroup"],
            "Fit: root, User= and DynamicUser= alike. That is every kind, and so restricts nothing."
        ),
        (
            ["ProtectSystem=strict", "ReadOnlyPaths=/usr /etc"],
            "Fit: root, User= and DynamicUser= alike. What the jail writes to needs ReadWritePaths=; the unit's own directories do not."
        ),
        (
            [
                "ProtectHome=yes", "ProtectHome=tmpfs", "PrivateTmp=yes", "InaccessiblePaths=/mnt",
                "TemporaryFileSystem=/media",
            ],
            "Fit: root, User= and DynamicUser= alike, where neither the spec nor a source of it lies there."
        ),
        (
            ["ProtectHostname=yes"],
            """
            Fit: root and User=, where the spec has no hostname. Up to systemd 256 root, User= and DynamicUser= alike. From 257 on it
            covers files of /proc where anything else gives the unit mounts of its own, as DynamicUser= does, and of a /proc that is
            covered in part no new one is made: leave it out, or set `filesystem.proc = false`.
            """
        ),
        (
            ["ProtectKernelLogs=yes"],
            """
            Not: from 257 on it covers /proc/kmsg, and the jail has no /proc of its own. Up to systemd 256 root, User= and DynamicUser=
            alike. With `filesystem.proc = false` it fits.
            """
        ),
        (
            ["ProtectControlGroups=yes"],
            "Fit: root, User= and DynamicUser= alike, without [limits]."
        ),
        (
            ["ProtectControlGroups=private", "ProtectControlGroups=strict"],
            "Fit: root, User= and DynamicUser= alike, without [limits]. From systemd 257 on."
        ),
        (
            ["PrivateUsers=identity", "PrivateTmp=disconnected"],
            "Fit: root, User= and DynamicUser= alike. From systemd 257 on."
        ),
        (
            ["PrivatePIDs=yes"],
            """
            Fit: root, User= and DynamicUser= alike. From systemd 257 on. The launcher says that it cannot watch its caller; it is pid 1
            of the unit, and the jail ends with it.
            """
        ),
        (
            ["CapabilityBoundingSet=", "SecureBits=noroot"],
            "Fit: User= and DynamicUser=. Not root, which needs its capabilities to give the jail other ids: CapabilityBoundingSet=~."
        ),
        (
            ["SystemCallFilter=@system-service @mount seccomp capset sethostname landlock_create_ruleset"],
            """
            Fit: root, User= and DynamicUser= alike, with SystemCallErrorNumber=EPERM: where a call that is refused kills, one that is
            newer than the lists of systemd does as well.
            """
        ),
        (["SystemCallFilter=@system-service", "SystemCallFilter=~@mount"], "Not: a jail is made by mounts."),
        (
            ["RestrictNamespaces=yes"],
            "Not: a jail is made of namespaces, and clone3(2) is refused where any kind is. In place of it: the jail's own filter, which is always there."
        ),
        (
            ["ProtectKernelTunables=yes", "ProcSubset=pid"],
            """
            Not: that no namespace is made within the jail is written below /proc/sys. In place of it: the jail's own /proc, in
            which /proc/sys is read-only.
            """
        ),
        (
            ["RestrictAddressFamilies=AF_UNIX"],
            "Not: the loopback interface of the jail's network is brought up by a socket of AF_INET, which is to be in the list."
        ),
        (
            ["LimitNPROC=1", "LimitNOFILE=8"],
            "Not: launcher, reaper and command are three processes (TasksMax= as well), and a tree takes some dozen descriptors."
        ),
        (
            ["LimitAS=16M", "LimitDATA=1M", "LimitSTACK=64K"],
            """
            Not: the launcher takes some 30 MiB of addresses, 10 MiB of data and 1 MiB of stack, and where its own file does not fit the
            kernel ends it with SIGSEGV. In place of it: `[rlimits]`, which limits the command.
            """
        ),
        (
            ["NoExecPaths=/"],
            "Not: systemd itself could not execute the launcher, which has to be in ExecPaths=."
        ),
    ]
}
