import Testing

@testable import immure

/// The manual names every key that the decoder knows; `JailSpecTests` holds the decoder to the contract.
@Suite struct ManualTests {
    @Test(arguments: [
        "command", "cwd", "hostname", "timeout", "grace", "extends", "root", "writable", "ro", "rw", "hide", "proc",
        "dev",
        "tmp", "target", "type", "source", "options", "optional", "size", "inodes", "mode", "content", "to", "lower",
        "upper", "work", "quota", "idmap", "user", "mount", "pid", "net", "ipc", "uts", "cgroup", "time", "nested",
        "time.monotonic", "time.boottime", "group", "groups", "umask", "uid_map", "gid_map", "keep", "bounding",
        "permitted", "effective", "inheritable", "ambient", "no_new_privs", "init", "die_with_parent", "tty", "fds",
        "nice",
        "oom_score_adj", "cpus", "keyring", "set", "nofile", "memory", "memory_high", "swap", "cpu", "cpu_weight",
        "pids",
        "device", "rbps", "wbps", "riops", "wiops", "weight", "profile", "default", "allow", "deny", "log", "kill",
        "call",
        "action", "args", "rx", "rwx", "bind_tcp", "connect_tcp", "scope", "minimum_abi", "publish", "dns",
        "notify", "sockets", "credentials",
    ]) func `every key has its line`(key: String) {
        let names = Manual.sections.flatMap(\.keys).flatMap { entry in
            entry.key.split { " ,:".contains($0) }.map(String.init)
        }
        #expect(names.contains(key))
    }

    @Test func `nothing is left to roff that it would take for its own`() {
        for page in [Manual.program, Manual.file] {
            for line in page.split(separator: "\n") where line.hasPrefix("'") || line.hasPrefix(".") {
                #expect(
                    [".TH", ".SH", ".SS", ".PP", ".TP", ".RS", ".RE", ".nf", ".fi"].contains { line.hasPrefix($0) },
                    "\(line)")
            }
        }
    }
}
