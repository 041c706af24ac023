import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

/// What is said to hold without a line is asked of the spec that was made.
@Suite struct ClaimTests {
    private func spec(_ text: String) throws -> Spec {
        guard case .table(let table) = try parse(Array(text.utf8), file: "a.toml").value else { return Spec() }
        let here = Surroundings(variable: { _ in "/run/user/7" }, home: "/home/u", currentDirectory: "/work")
        let decoded = Spec.decode(Document(root: table, files: []), in: here)
        #expect(decoded.diagnostics.isEmpty, "\(decoded.diagnostics)")
        return decoded.spec
    }

    private func holds(_ claim: Claim, _ text: String) throws -> Bool {
        claim.fault(in: SeenTree(try spec(text)), home: "/home/u", variable: { _ in "/run/user/7" }) == nil
    }

    private static let claims: [(claim: Claim, holds: [String], fails: [String])] = [
        (
            .own(.pid), ["", "[namespaces]\nipc = \"host\""],
            ["[namespaces]\npid = \"host\"", "[namespaces]\npid = \"/proc/1/ns/pid\""]
        ),
        (
            .own(.net), ["", "[network]\nmode = \"user\""],
            ["[network]\nmode = \"host\"", "[namespaces]\nnet = \"/run/netns/x\""]
        ),
        (.own(.time), ["[namespaces]\ntime = \"new\""], [""]),
        (.noNetwork, [""], ["[network]\nmode = \"user\"", "[network]\nmode = \"host\""]),
        (.notNested, [""], ["[namespaces]\nnested = true"]),
        (
            .bounded(CapabilitySet(Capability.kill)), ["", "[capabilities]\nkeep = [\"kill\"]"],
            ["[capabilities]\nkeep = [\"kill\", \"chown\"]", "[capabilities]\nbounding = [\"chown\"]"]
        ),
        (.ownDevices, ["", "[filesystem]\ndev = \"none\""], ["[filesystem]\ndev = \"host\""]),
        (
            .readOnly("/etc/x"),
            [
                "", "[filesystem]\nroot = \"host\"", "[filesystem]\nroot = \"host\"\nrw = [\"/etc/y\"]",
                "[filesystem]\nhide = [\"/etc\"]",
            ],
            [
                "[filesystem]\nrw = [\"/etc\"]", "[filesystem]\nroot = \"host\"\nwritable = true",
                "[[mount]]\ntarget = \"/etc\"\ntype = \"tmpfs\"",
            ]
        ),
        (
            .readOnly("/sys/fs/cgroup"), ["[filesystem]\nroot = \"host\"\nwritable = true", ""],
            ["[[mount]]\ntarget = \"/sys\"\nsource = \"/sys\""]
        ),
        (
            .ownDirectory("/tmp"), ["", "[filesystem]\nrw = [\"/tmp/x\"]"],
            ["[filesystem]\nrw = [\"/tmp\"]", "[filesystem]\nroot = \"host\"\ntmp = false"]
        ),
        (.ownDirectory("~"), [""], ["[filesystem]\nrw = [\"~\"]", "[filesystem]\nro = [\"/home\"]"]),
        (.ownDirectory("/proc"), ["", "[filesystem]\nroot = \"host\""], ["[filesystem]\nrw = [\"/proc\"]"]),
        (
            .absent(["~/.ssh", "/mnt"]),
            ["", "[filesystem]\nrw = [\"~/.sshd\"]", "[filesystem]\nrw = [\"~\"]\nhide = [\"~/.ssh\"]"],
            [
                "[filesystem]\nrw = [\"~/.ssh\"]", "[filesystem]\nro = [\"~\"]",
                "[filesystem]\nro = [\"~/.ssh/known\"]", "[filesystem]\nroot = \"host\"",
            ]
        ),
        (.absent(["${XDG_RUNTIME_DIR}/bus"]), [""], ["[filesystem]\nrw = [\"/run/user/7\"]"]),
        (
            .absent(["~/.b*"]), ["[filesystem]\nrw = [\"~/.a\"]"],
            ["[filesystem]\nrw = [\"~/.bashrc\"]", "[filesystem]\nro = [\"~\"]"]
        ),
        (
            .absent(["/dev/nvidia*"]),
            ["[[mount]]\ntarget = \"/dev/sr[0-9]*\"\nsource = \"/dev/sr[0-9]*\"\npattern = true\noptional = true"],
            [
                "[filesystem]\ndev = \"host\"",
                "[[mount]]\ntarget = \"/dev/nvidia*\"\nsource = \"/dev/nvidia*\"\npattern = true\noptional = true",
            ]
        ),
        (
            .absent(["~/.cache/a*"]),
            ["[filesystem]\nrw = [\"~\"]\n[[mount]]\ntarget = \"~/.cache\"\ntype = \"tmpfs\""],
            ["[filesystem]\nrw = [\"~\"]"]
        ),
        (.nativeCalls, [""], ["[seccomp]\narchitectures = [\"native\", \"x86\"]"]),
        (.ownKeyring, [""], ["[process]\nkeyring = \"inherit\""]),
        (.ownEnvironment, [""], ["[environment]\nkeep = [\"A\"]"]),
        (.diesWithParent, [""], ["[process]\ndie_with_parent = false"]),
        (.noGroups, [""], ["[identity]\ngroups = [7]"]),
        (.all([.ownKeyring, .notNested]), [""], ["[namespaces]\nnested = true", "[process]\nkeyring = \"inherit\""]),
    ]

    @Test func `a claim is held against the spec`() throws {
        for (claim, good, bad) in Self.claims {
            for text in good { #expect(try holds(claim, text), "\(claim): \(text)") }
            for text in bad { #expect(try !holds(claim, text), "\(claim): \(text)") }
        }
    }

    private func unit(_ lines: String...) -> Draft {
        let text = "[Service]\nExecStart=/usr/bin/true\n" + lines.joined(separator: "\n")
        return SystemdImport.draft(of: [ImportSource(name: "a.service", text: Array(text.utf8))], [], ImportContext())
    }

    @Test func `what another line takes away is lost, not in force`() {
        for (line, other) in [
            ("PrivateIPC=yes", "IPCNamespacePath=/proc/1/ns/ipc"),
            ("PrivateNetwork=yes", "NetworkNamespacePath=/run/netns/a"),
            ("ProtectKernelTunables=yes", "BindPaths=/sys"),
            ("ProtectControlGroups=yes", "ReadWritePaths=/sys/fs/cgroup"),
            ("SystemCallArchitectures=native", "SystemCallArchitectures=x86"),
        ] {
            let alone = unit(line), both = unit(line, other)
            #expect(alone.directives(.inForce).contains(line) && !alone.hasLostRestrictions, "\(line)")
            #expect(both.directives(.lostRestriction).contains(line), "\(line)")
        }
    }

    @Test func `private devices stay so whatever a policy of devices allows`() throws {
        let made = unit("PrivateDevices=yes", "DeviceAllow=char-* rw", "DeviceAllow=/dev/kvm rw")
        let spec = try made.spec
        #expect(spec.filesystem.devices.value == .minimal && spec.mount(at: "/dev/kvm") == nil)
        #expect(spec.capabilities.keep?.value.contains(.mknod) == false)
        #expect(made.directives(.inForce).contains("DeviceAllow=char-* rw"))
    }

    @Test func `nothing that was read is without a word`() {
        let profile = "whitelist ~/.a\nread-only ~/.b\nnoblacklist ~/.c\ninclude x.local\nprivate-tmp\nblacklist ~/.d"
        let source = ImportSource(name: "a.profile", text: Array(profile.utf8))
        let made = FirejailImport.draft(of: [source], [], ImportContext(home: "/home/u"))
        let text = made.text(title: ["test"])
        for number in 1...5 { #expect(text.contains("a.profile:\(number) "), "line \(number)\n\(text)") }
        #expect(text.contains("1 blacklisted path of a.profile"))
    }
}
