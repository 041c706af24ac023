import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

@Suite struct OCITests {
    private func draft(_ json: String) -> Draft {
        OCIImport.draft(of: [ImportSource(name: "b/config.json", text: Array(json.utf8))], [], ImportContext())
    }

    @Test func `a bundle becomes a spec`() throws {
        let made = draft(
            """
            {"ociVersion": "1.0.0", "hostname": "h", "root": {"path": "rootfs", "readonly": true},
             "process": {"terminal": false, "user": {"uid": 7, "gid": 8, "additionalGids": [9]}, "args": ["sh", "-c"], "cwd": "/w",
              "env": ["A=1", "B=${C}"], "noNewPrivileges": true,
              "capabilities": {"bounding": ["CAP_KILL"], "ambient": ["CAP_KILL"]},
              "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 4, "hard": 18446744073709551615}]},
             "mounts": [{"destination": "/proc", "type": "proc"}, {"destination": "/dev", "type": "tmpfs", "options": ["mode=755"]},
              {"destination": "/dev/shm", "type": "tmpfs", "options": ["size=65536k"]},
              {"destination": "/d", "type": "bind", "source": "/s", "options": ["rbind", "ro"]},
              {"destination": "/sys/fs/cgroup", "type": "cgroup", "options": ["ro", "nosuid"]}],
             "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "network", "path": "/run/n"}],
              "maskedPaths": ["/proc/kcore", "/sys/firmware"], "readonlyPaths": ["/proc/sys"],
              "resources": {"memory": {"limit": 4096, "swap": 8192}, "cpu": {"quota": 50000, "period": 100000}, "pids": {"limit": 3}}}}
            """)
        let spec = try made.spec
        #expect(spec.filesystem.root.value == .directory("/work/rootfs") && !spec.filesystem.writable.value)
        #expect(spec.identity.user?.value == .id(7) && spec.identity.groups?.value == [.id(9)])
        #expect(spec.environment.set.map(\.value.value) == ["1", "${C}"] && spec.process.tty.value == .none)
        #expect(
            spec.capabilities.bounding?.value.capabilities == [.kill] && spec.capabilities.ambient?.value.isNone == true
        )
        #expect(spec.rlimits.first?.soft == 4 && spec.rlimits.first?.hard == nil)
        #expect(spec.filesystem.shm.value == .bytes(65536 << 10) && spec.filesystem.devices.value == .minimal)
        #expect(spec.mount(at: "/d")?.options.asked == .readOnly && spec.mount(at: "/sys/fs/cgroup")?.source == .cgroup)
        #expect(spec.namespaces[.user].value == .host && spec.namespaces[.net].value == .path("/run/n"))
        #expect(spec.namespaces[.pid].value == .new && spec.mount(at: "/sys/firmware")?.source == .hidden)
        #expect(spec.limits?.value.memory?.value == 4096 && spec.limits?.value.swap?.value == 4096)
        #expect(spec.limits?.value.cpu?.value == 50 && !made.hasLostRestrictions)
    }

    @Test func `a read-only path is held against the mount that it lies in`() throws {
        func made(_ mount: String, _ path: String, writable: Bool = false) -> Draft {
            draft(
                """
                {"linux": {"readonlyPaths": ["\(path)"]}, "mounts": [{"destination": "/d", \(mount)}],
                 "root": {"path": "r", "readonly": \(!writable)}}
                """)
        }
        let bind = "\"type\": \"bind\", \"source\": \"/s\", \"options\": [\"noexec\"]"
        let part = try made(bind, "/d/c").spec.mount(at: "/d/c")
        #expect(
            part?.source == .bind("/s/c") && part?.options.asked.words == ["ro", "noexec"] && part?.optional == true)
        #expect(try made(bind, "/d").spec.mount(at: "/d")?.options.asked.words == ["ro", "noexec"])
        #expect(try made("\"type\": \"tmpfs\"", "/d").spec.mount(at: "/d")?.options.asked.words == ["ro"])
        #expect(made("\"type\": \"tmpfs\"", "/d/c").hasLostRestrictions)
        #expect(made(bind, "/x/../d/c").hasLostRestrictions && made(bind, "/c", writable: true).hasLostRestrictions)
        #expect(!made(bind, "/c").hasLostRestrictions)
    }

    @Test func `a device is claimed by its numbers`() throws {
        func made(_ device: String) -> Draft {
            draft("{\"root\": {\"path\": \"r\"}, \"linux\": {\"devices\": [{\(device)}]}}")
        }
        let node = try made("\"path\": \"/dev//x\", \"type\": \"u\", \"major\": 10, \"minor\": 229").spec
            .mount(at: "/dev/x")
        #expect(node?.device == .character(major: 10, minor: 229) && node?.optional == true)
        #expect(made("\"path\": \"/dev/x\", \"type\": \"b\"").faults.count == 1)
        #expect(made("\"path\": \"/dev/x\", \"type\": \"b\", \"major\": -1, \"minor\": 0").faults.count == 1)
        #expect(made("\"path\": \"/dev/x\", \"type\": \"p\"").directives(.lost).count == 1)
        #expect(made("\"path\": \"/srv\", \"type\": \"c\", \"major\": 1, \"minor\": 3").faults.count == 1)
    }

    @Test func `a filter becomes lists and rules`() throws {
        let spec = try draft(
            """
            {"root": {"path": "/r"}, "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
              {"names": ["read", "execve", "no_such_call"], "action": "SCMP_ACT_ALLOW"},
              {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 268435456, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
              {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]}]}}}
            """
        ).spec
        let policy = try #require(spec.seccomp).value
        #expect(policy.defaultAction?.value == .errno(38) && policy.allow.map(\.value) == ["read", "execve", "clone"])
        let clone = try #require(policy.rules.first { $0.call.value == "clone" })
        #expect(clone.action == .errno(38) && clone.arguments.first?.op == .masked)
        #expect(policy.rules.filter { $0.call.value == "personality" && $0.action == .allow }.count == 2)
    }

    @Test func `a limit of RDMA is in force where no device of it can be opened`() {
        func text(_ more: String, _ mount: String) -> String {
            """
            {"root": {"path": "/r"}, "linux": {"resources": {"rdma": {"mlx": {"hcaHandles": 1}}, "blockIO": {"leafWeight": 9}}\(more)},
             "mounts": [{"destination": "/d", "type": "bind", "source": "/s", "options": ["rbind", \(mount)]}]}
            """
        }
        #expect(
            !draft(text("", "\"ro\"")).hasLostRestrictions
                && draft(text("", "\"ro\"")).notes.allSatisfy { $0.kind != .lost })
        #expect(draft(text("", "\"dev\"")).hasLostRestrictions)
        let node =
            ", \"devices\": [{\"path\": \"/dev/infiniband/uverbs0\", \"type\": \"c\", \"major\": 231, \"minor\": 192}]"
        #expect(draft(text(node, "\"ro\"")).hasLostRestrictions)
    }

    @Test func `the weight on disks is by runc's formula`() throws {
        func text(_ weight: Int) -> String {
            "{\"root\": {\"path\": \"/r\"}, \"linux\": {\"resources\": {\"blockIO\": {\"weight\": \(weight)}}}}"
        }
        for (weight, wanted) in [(10, 1), (500, 4950), (750, 7475), (1000, 10_000)] as [(Int, UInt64)] {
            #expect(try draft(text(weight)).spec.limits?.value.ioWeight?.value == wanted)
        }
        #expect(try draft(text(0)).spec.limits == nil)
        #expect(draft(text(9)).faults.count == 1 && draft(text(1001)).faults.count == 1)
    }

    @Test func `hooks are refused by name, and so is what nobody knows`() {
        let hooks = draft("{\"root\": {\"path\": \"r\"}, \"hooks\": {\"prestart\": [{\"path\": \"/bin/hook\"}]}}")
        #expect(hooks.hasLostRestrictions && hooks.said(.lostRestriction) == ["hooks are not run: /bin/hook"])
        #expect(
            draft("{\"linux\": {\"wat\": 1}}").faults.first?.message == "the runtime specification has no linux.wat")
        #expect(draft("{\"linux\": {\"wat\": 1}}").faults.first?.position?.column == 12)
        let root = "\"root\": {\"path\": \"r\"}"
        #expect(!draft("{\(root), \"domainname\": \"x\"}").hasLostRestrictions)
        #expect(draft("{\(root), \"linux\": {\"mountLabel\": \"x\"}}").hasLostRestrictions)
        #expect(draft("[]").faults.count == 1)
    }

    @Test func `what is of another kind is told with its path`() {
        func first(_ more: String) -> String? { draft("{\"root\": {\"path\": \"r\"}, \(more)}").faults.first?.message }
        #expect(first("\"mounts\": {}") == "mounts: must be an array")
        #expect(first("\"mounts\": [{\"type\": \"proc\"}]") == "mounts[0].destination: missing")
        #expect(first("\"process\": {\"noNewPrivileges\": 1}") == "process.noNewPrivileges: must be true or false")
        #expect(
            first("\"linux\": {\"maskedPaths\": [\"/a\", 7]}") == "linux.maskedPaths[1]: must be a string")
        #expect(draft("{}").faults.first?.message == "root: missing")
    }

    @Test func `a path of the bundle stays in it`() {
        let links: Set = ["b/rootfs", "b/a"]
        func fault(_ path: String) -> String? {
            let text = "{\"root\": {\"path\": \(quoted(path))}}"
            let context = ImportContext(isLink: { links.contains($0) })
            return OCIImport.draft(
                of: [ImportSource(name: "b/config.json", text: Array(text.utf8))], [], context
            ).faults.first?.message
        }
        for path in ["r", "/rootfs", "/../x", "r/..", "r/a"] { #expect(fault(path) == nil, "\(path)") }
        for path in ["..", "../r", "r/../.."] { #expect(fault(path)?.contains("leads out") == true, "\(path)") }
        for path in ["rootfs", "./rootfs/", "a/r"] {
            #expect(fault(path)?.contains("symbolic link") == true, "\(path)")
        }
    }

    @Test func `rules count under their circumstances`() throws {
        func rules(_ capability: String) throws -> SeccompPolicy {
            let spec = try draft(
                """
                {"root": {"path": "/r"}, "process": {"capabilities": {"bounding": ["\(capability)"]}}, "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO",
                 "syscalls": [{"names": ["read", "execve"], "action": "SCMP_ACT_ALLOW"},
                  {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
                  {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
                  {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390x"]}},
                  {"names": ["unshare"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "4.8"}}]}}}
                """
            ).spec
            return try #require(spec.seccomp).value
        }
        #expect(try rules("CAP_SYS_ADMIN").allow.map(\.value) == ["read", "execve", "bpf"])
        #expect(try rules("CAP_KILL").allow.map(\.value) == ["read", "execve", "mount"])
    }
}

@Suite struct OCIImageTests {
    private func draft(_ settings: String, manifest: String = "sha256:a", uid: Int = 7) -> Draft {
        let files = [
            "i/index.json": "{\"manifests\": [{\"digest\": \"\(manifest)\"}]}",
            "i/blobs/sha256/a": "{\"config\": {\"digest\": \"sha256:b\"}}",
            "i/blobs/sha256/b": "{\"config\": {\(settings)}}",
            "b/config.json": "{\"process\": {\"user\": {\"uid\": \(uid), \"gid\": 8}}}",
        ]
        return OCIImageImport.draft(
            of: "i", in: "b", [], ImportContext(read: { files[$0].map { Array($0.utf8) } }))
    }

    @Test func `what an image says of its program becomes lines`() throws {
        let made = draft(
            """
            "Cmd": ["b"], "Entrypoint": ["/a"], "Env": ["A=${B}", "C"], "WorkingDir": "/w", "User": "web:8", "StopSignal": "SIGINT",
            "Volumes": {"/v": {}}, "Labels": {"x": "y"}
            """)
        let spec = try made.spec
        #expect(spec.command?.value == ["/a", "b"] && spec.filesystem.root.value == .directory("/work/b/rootfs"))
        #expect(spec.identity.user?.value == .id(7) && spec.identity.group?.value == .id(8))
        #expect(spec.environment.set.map(\.value.value) == ["${B}", ""])
        #expect(made.directives(.lost) == ["config.Volumes"])
    }

    @Test func `root by any name is not the host's`() throws {
        let spec = try draft("\"User\": \"toor\"", uid: 0).spec
        #expect(spec.identity.user == nil && spec.identity.group == nil)
    }

    @Test func `nothing but a blob of the layout is read`() {
        #expect(draft("", manifest: "sha256:../../../../etc/passwd").faults.count == 1)
        #expect(draft("", manifest: "md5:a").faults.count == 1 && draft("", manifest: "").faults.count == 1)
        #expect(draft("\"Cmd\": \"sh\"").faults.first?.message == "config.Cmd: must be an array of strings")
        #expect(draft("\"User\": 7").faults.first?.message == "config.User: must be a string")
    }
}
