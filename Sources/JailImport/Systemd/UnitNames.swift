/// Directives of systemd.service(5), systemd.exec(5), systemd.kill(5) and systemd.resource-control(5) that stay with
/// systemd, which does them whatever it starts.
enum UnitNames {
    /// When and how it is started and ended, and what becomes of it in between.
    static let ofService: Set<String> = [
        "Type", "ExitType", "RemainAfterExit", "GuessMainPID", "PIDFile", "BusName", "ExecStartPre", "ExecStartPost",
        "ExecCondition", "ExecReload", "ExecStop", "ExecStopPost", "RestartSec", "RestartSteps", "RestartMaxDelaySec",
        "TimeoutStartSec", "TimeoutStopSec", "TimeoutAbortSec", "TimeoutSec", "TimeoutStartFailureMode",
        "TimeoutStopFailureMode", "RuntimeMaxSec", "RuntimeRandomizedExtraSec", "Restart", "RestartMode",
        "SuccessExitStatus", "RestartPreventExitStatus", "RestartForceExitStatus", "RootDirectoryStartOnly",
        "NonBlocking", "FileDescriptorStoreMax", "FileDescriptorStorePreserve", "USBFunctionDescriptors",
        "USBFunctionStrings", "OOMPolicy", "ReloadSignal", "PermissionsStartOnly", "StartLimitIntervalSec",
        "StartLimitBurst", "StartLimitAction", "FailureAction", "SuccessAction", "RebootArgument", "BusPolicy",
        "KillMode", "KillSignal", "RestartKillSignal", "SendSIGHUP", "SendSIGKILL", "FinalKillSignal", "WatchdogSignal",
        "SysVStartPriority", "Slice", "Delegate", "DelegateSubgroup", "DisableControllers", "CoredumpFilter",
        "CoredumpReceive",
    ]

    /// What a process inherits from the unit, immure and its jail too.
    static let inherited: Set<String> = [
        "IOSchedulingClass", "IOSchedulingPriority", "CPUSchedulingPolicy", "CPUSchedulingPriority",
        "CPUSchedulingResetOnFork", "NUMAPolicy", "NUMAMask", "TimerSlackNSec", "Personality", "MemoryLow", "MemoryMin",
        "DefaultMemoryLow", "DefaultMemoryMin", "MemoryZSwapMax", "MemoryZSwapWriteback", "StartupMemoryHigh",
        "StartupMemoryMax", "StartupMemorySwapMax", "StartupMemoryLow", "StartupCPUWeight", "StartupIOWeight",
        "CPUQuotaPeriodSec", "AllowedMemoryNodes", "StartupAllowedCPUs", "StartupAllowedMemoryNodes",
        "IODeviceLatencyTargetSec", "ManagedOOMSwap", "ManagedOOMMemoryPressure", "ManagedOOMMemoryPressureLimit",
        "ManagedOOMMemoryPressureDurationSec", "ManagedOOMPreference", "MemoryPressureWatch",
        "MemoryPressureThresholdSec", "CPUAccounting", "MemoryAccounting", "TasksAccounting", "IOAccounting",
        "IPAccounting", "BlockIOAccounting", "StandardInput", "StandardOutput", "StandardError", "StandardInputText",
        "StandardInputData", "TTYPath", "TTYReset", "TTYVHangup", "TTYVTDisallocate", "TTYRows", "TTYColumns",
        "LogLevelMax", "LogExtraFields", "LogRateLimitIntervalSec", "LogRateLimitBurst", "LogFilterPatterns",
        "LogNamespace", "SyslogIdentifier", "SyslogFacility", "SyslogLevel", "SyslogLevelPrefix", "UtmpIdentifier",
        "UtmpMode", "PAMName", "SetLoginEnvironment", "RuntimeDirectoryPreserve",
        "TimeoutCleanSec", "OpenFile",
    ]

    /// What restricts, and has no line.
    static let lost: [String: String] = [
        "SELinuxContext": "labels of SELinux", "SmackProcessLabel": "labels of Smack", "SecureBits": "securebits",
        "ProcSubset": "a /proc without the files about the system", "RestrictFileSystems": "kinds of file systems",
        "RestrictNetworkInterfaces": "single interfaces of the host's network",
        "NFTSet": "sets of nftables", "IPIngressFilterPath": "programs that filter packets",
        "IPEgressFilterPath": "programs that filter packets", "BPFProgram": "programs of BPF",
        "RootHash": "verified images", "RootHashSignature": "verified images", "RootVerity": "verified images",
        "RootImagePolicy": "verified images", "MountImagePolicy": "verified images",
        "RootImage": "a root in an image: [[mount]] type = \"image\" has it, by hand",
        "RootImageOptions": "a root in an image", "MountImages": "images in place of what the host has there",
    ]

    /// What opens or adds something, and has no line.
    static let leftOut: [String: String] = [
        "ExtensionImages": "images", "ExtensionDirectories": "directories over others",
        "ExtensionImagePolicy": "images",
        "MountFlags": "mounts that others see", "MountAPIVFS": "", "BindLogSockets": "the sockets of the log",
    ]

    /// All that the importer itself reads.
    static let read: Set<String> = [
        "ExecStart", "WatchdogSec", "NotifyAccess", "Sockets", "User", "Group", "SupplementaryGroups", "DynamicUser",
        "UMask", "WorkingDirectory", "RootDirectory", "RootEphemeral",
        "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices",
        "DeviceAllow", "DevicePolicy", "PrivateNetwork", "PrivateUsers", "PrivateMounts", "PrivateIPC", "PrivatePIDs",
        "ProtectHostname", "ProtectClock", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs",
        "ProtectControlGroups", "ProtectProc", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime",
        "RestrictSUIDSGID", "RemoveIPC", "LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges",
        "CapabilityBoundingSet", "AmbientCapabilities", "SystemCallFilter", "SystemCallErrorNumber",
        "SystemCallArchitectures", "SystemCallLog", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths",
        "NoExecPaths", "TemporaryFileSystem", "BindPaths", "BindReadOnlyPaths", "Environment", "EnvironmentFile",
        "PassEnvironment", "UnsetEnvironment", "LimitCPU", "LimitFSIZE", "LimitDATA", "LimitSTACK", "LimitCORE",
        "LimitRSS", "LimitNOFILE", "LimitAS", "LimitNPROC", "LimitMEMLOCK", "LimitLOCKS", "LimitSIGPENDING",
        "LimitMSGQUEUE", "LimitNICE", "LimitRTPRIO", "LimitRTTIME", "MemoryMax", "MemoryHigh", "MemorySwapMax",
        "CPUQuota", "CPUWeight", "TasksMax", "AllowedCPUs", "CPUAffinity", "IOWeight", "IODeviceWeight",
        "CPUShares", "BlockIOWeight",
        "IOReadBandwidthMax", "IOWriteBandwidthMax", "IOReadIOPSMax", "IOWriteIOPSMax", "IPAddressAllow",
        "IPAddressDeny", "SocketBindAllow", "SocketBindDeny", "Nice", "OOMScoreAdjust", "KeyringMode", "IgnoreSIGPIPE",
        "RuntimeDirectory", "StateDirectory",
        "CacheDirectory", "LogsDirectory", "ConfigurationDirectory", "RuntimeDirectoryMode", "StateDirectoryMode",
        "CacheDirectoryMode", "LogsDirectoryMode", "ConfigurationDirectoryMode", "LoadCredential",
        "LoadCredentialEncrypted",
        "SetCredential", "SetCredentialEncrypted", "ImportCredential", "AppArmorProfile", "NetworkNamespacePath",
        "IPCNamespacePath",
    ]

    static var all: [String] {
        (ofService.union(inherited).union(read).union(lost.keys).union(leftOut.keys)).sorted()
    }
}
