import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

@Suite struct FirejailTests {
    private func draft(_ text: String, _ includes: [String: String] = [:], isRoot: Bool = false) -> Draft {
        let profile = ImportSource(name: "a.profile", text: Array(text.utf8))
        let context = ImportContext(isRoot: isRoot, home: "/home/u", read: { includes[$0].map { Array($0.utf8) } })
        return FirejailImport.draft(of: [profile], [], context)
    }

    @Test func `a whitelisted home has nothing else`() throws {
        let spec = try draft(
            """
            mkdir ${HOME}/.cache/x
            whitelist ${HOME}/.cache/x
            whitelist ${DOWNLOADS}
            whitelist ${HOME}/.x-*
            read-only ${DOWNLOADS}
            """
        ).spec
        #expect(spec.mount(at: "/home/u") == nil && spec.filesystem.root.value == .system)
        #expect(spec.mount(at: "/home/u/.cache/x")?.create?.isDirectory == true)
        let downloads = try #require(spec.mount(at: "/home/u/Downloads"))
        #expect(downloads.optional && downloads.options.asked == .readOnly)
        let pattern = try #require(spec.mount(at: "/home/u/.x-*"))
        #expect(pattern.isPattern && pattern.optional && pattern.options.asked.isEmpty)
    }

    @Test func `all capabilities of root are warned of where the profile drops none`() {
        #expect(draft("net none", isRoot: true).said(.warning).contains { $0.contains("keeps every capability") })
        for (text, isRoot) in [("caps.drop all", true), ("caps.keep chown", true), ("net none", false)] {
            #expect(!draft(text, isRoot: isRoot).said(.warning).contains { $0.contains("every capability") }, "\(text)")
        }
    }

    @Test func `what is blacklisted is hidden where the home is shown`() throws {
        let made = draft(
            """
            noblacklist ${HOME}/.kept
            blacklist ${HOME}/.kept
            blacklist ${HOME}/.ssh
            blacklist ${HOME}/.*_history
            blacklist /srv/x
            blacklist ${PATH}/gcc*
            blacklist /etc/a
            read-only ${HOME}/.bashrc
            """)
        let spec = try made.spec
        #expect(spec.mount(at: "/home/u")?.source == .bind("/home/u"))
        #expect(spec.mount(at: "/home/u/.ssh")?.source == .hidden && spec.mount(at: "/etc/a")?.source == .hidden)
        #expect(spec.mount(at: "/home/u/.*_history")?.isPattern == true)
        #expect(spec.mount(at: "/usr/bin/gcc*")?.source == .hidden)
        #expect(spec.mount(at: "/home/u/.kept") == nil && spec.mount(at: "/srv/x") == nil)
        #expect(spec.mount(at: "/home/u/.bashrc")?.options.asked == .readOnly)
        #expect(!made.hasLostRestrictions)
    }

    @Test func `a blacklist counts for more than a whitelist`() throws {
        let made = draft("whitelist ${HOME}/.a\nwhitelist ${HOME}/.b\nblacklist ${HOME}/.a")
        #expect(try made.spec.mount(at: "/home/u/.a") == nil)
        #expect(made.directives(.warning).contains("whitelist ${HOME}/.a"))
    }

    @Test func `includes, conditions and ignore`() throws {
        let includes = [
            "a.inc": "net none\nseccomp\nprivate-tmp\n", "/home/u/.config/firejail/b.inc": "caps.drop all\n",
        ]
        let made = draft(
            """
            include a.local
            ignore seccomp
            ?HAS_X11: blacklist /usr
            ?BROWSER_DISABLE_U2F: nou2f
            include a.inc   # comment
            include b.inc
            """, includes)
        let spec = try made.spec
        #expect(spec.network.mode == nil && spec.seccomp == nil && spec.mount(at: "/usr") == nil)
        #expect(made.directives(.outside).contains("seccomp") && !made.hasLostRestrictions)
        #expect(draft("include c.inc").hasLostRestrictions)
    }

    @Test func `whatever is not known is a fault with its line`() {
        for (text, line) in [
            ("quiet\nblaklist /usr", 2), ("?HAS_WAT: quiet", 1), ("protocol unix,ipx", 1), ("caps.keep wat", 1),
            ("seccomp wat", 1), ("blacklist ${WAT}/x", 1), ("dbus-user wat", 1), ("timeout 5", 1),
        ] {
            let faults = draft(text).faults
            #expect(faults.first?.position?.line == line && faults.first?.position?.file == "a.profile", "\(text)")
        }
    }

    @Test func `what restricts and has no line is lost`() {
        for text in [
            "x11 xvfb", "x11 none", "blacklist /proc/self/maps", "blacklist /proc/1", "blacklist /proc/*", "overlay",
            "bandwidth eth0", "blacklist /dev",
        ] {
            #expect(draft(text).hasLostRestrictions, "\(text)")
        }
    }

    @Test func `what of the host the jail's own proc tells is hidden by its name`() throws {
        let made = draft("blacklist /proc/cpuinfo\nblacklist /proc/sys/kernel/hotplug")
        #expect(!made.hasLostRestrictions && made.faults.isEmpty)
        for path in ["/proc/cpuinfo", "/proc/sys/kernel/hotplug"] {
            let mount = try made.spec.mount(at: path)
            #expect(mount?.source == .hidden && mount?.optional == true, "\(path)")
        }
    }

    @Test func `a bus that is filtered is reached by a proxy`() throws {
        let made = draft(
            """
            whitelist ${RUNUSER}/bus
            dbus-user filter
            dbus-user.talk org.freedesktop.Notifications
            dbus-user.own org.x.*
            dbus-system filter
            """)
        let spec = try made.spec
        #expect(spec.mount(at: "/var/XDG_RUNTIME_DIR/bus")?.source == .bind("/var/XDG_RUNTIME_DIR/a.bus"))
        #expect(spec.mount(at: "/var/XDG_RUNTIME_DIR/bus")?.optional == true, "without a proxy there is none")
        #expect(spec.mount(at: "/run/dbus/system_bus_socket")?.source == .bind("/var/XDG_RUNTIME_DIR/a.system-bus"))
        let words = "--filter --talk=org.freedesktop.Notifications '--own=org.x.*'"
        #expect(made.said(.warning).contains { $0.hasSuffix("\"$XDG_RUNTIME_DIR/a.bus\" \(words)") })
        #expect(made.directives(.lost).isEmpty && !made.hasLostRestrictions)
        let closed = draft("dbus-user filter\ndbus-user none")
        #expect(try closed.spec.mount(at: "/var/XDG_RUNTIME_DIR/bus") == nil)
    }

    @Test func `a line that is given again is no fault, and the last one counts`() throws {
        let made = draft("private-dev\nnice 3\njoin-or-start x\nprivate-dev\nnice 5")
        #expect(try made.spec.process.nice?.value == 5)
        #expect(made.directives(.warning).contains("nice 3") && made.directives(.outside).contains("join-or-start x"))
    }

    @Test func `filters and capabilities`() throws {
        let spec = try draft(
            "seccomp !chroot,kcmp\nprotocol unix,inet\nmemory-deny-write-execute\ncaps.keep net_raw\nrlimit-nofile 7",
            isRoot: true
        ).spec
        let policy = try #require(spec.seccomp?.value)
        #expect(policy.allow.map(\.value) == ["chroot"] && policy.deny.map(\.value) == ["kcmp"])
        let socket = policy.rules.filter { $0.call.value == "socket" }
        #expect(socket.count == 1 && socket[0].arguments.count == 2)
        #expect(spec.capabilities.keep?.value.capabilities == [.net_raw] && spec.rlimits.first?.soft == 7)
        #expect(try draft("caps.keep net_raw").spec.capabilities.keep == nil)
    }

    @Test func `directories of chosen files`() throws {
        let spec = try draft("private-etc @tls-ca,x\nprivate-bin sh\nwhitelist /usr/share/y\nprivate-opt z").spec
        for target in ["/etc", "/usr/bin", "/usr/share"] {
            guard case .tmpfs? = spec.mount(at: target)?.source else {
                Issue.record("\(target) is not emptied")
                continue
            }
            #expect(spec.mount(at: target)?.options.asked == .readOnly)
        }
        for target in ["/etc/ssl", "/etc/x", "/etc/passwd", "/usr/bin/sh", "/usr/share/y", "/opt/z"] {
            #expect(spec.mount(at: target)?.options.asked == .readOnly, "\(target)")
        }
    }

    @Test func `a path of the home is the same however it is written`() throws {
        let made = draft(
            """
            blacklist /home/u/.ssh
            read-only /home//u/.bashrc
            noexec /home/u
            blacklist /home/*/.gnupg
            private-tmp
            private-dev
            """)
        let spec = try made.spec
        #expect(spec.mount(at: "/home/u/.ssh")?.source == .hidden)
        #expect(spec.mount(at: "/home/u/.gnupg")?.source == .hidden)
        #expect(spec.mount(at: "/home/u/.bashrc")?.options.asked.hasAll(of: .readOnly) == true)
        #expect(spec.mount(at: "/home/u")?.options.asked == .noExecute)
        #expect(try draft("whitelist /home/u/.notes").spec.mount(at: "/home/u") == nil)
        for text in ["blacklist ${HOME}", "blacklist /home", "blacklist /home/*", "tmpfs /home\nwhitelist ~/.a"] {
            let spec = try draft(text).spec
            #expect(!spec.filesystem.mounts.contains { if case .bind("/home/u") = $0.source { true } else { false } })
            #expect(spec.mount(at: "/home/u/.a") == nil, "\(text)")
        }
        let shown = try draft("whitelist ${RUNUSER}/bus\nblacklist /run/user/1000/bus\nread-only /").spec
        #expect(shown.mount(at: "/var/XDG_RUNTIME_DIR/bus") == nil)
        #expect(shown.mount(at: "/home/u")?.options.asked == .readOnly)
    }

    @Test func `what may be in the jail is hidden as it is launched`() throws {
        for (text, path) in [
            ("whitelist ~/.x-*\nblacklist ~/.x-1/key", "/home/u/.x-1/key"),
            ("whitelist ~/.x-*\nblacklist ~/.x-k*", "/home/u/.x-k*"),
            ("whitelist ~/.a\nblacklist ~/.*/key", "/home/u/.*/key"), ("blacklist /dev/snd", "/dev/snd"),
            ("private-etc ssh\nblacklist /etc/*/key", "/etc/*/key"), ("blacklist /proc/sys/*/*", "/proc/sys/*/*"),
            ("x11 none\nnet none", "/tmp/.X11-unix"),
        ] {
            let made = draft(text)
            let mount = try made.spec.mount(at: path)
            #expect(mount?.source == .hidden && mount?.optional == true && !made.hasLostRestrictions, "\(text)")
            #expect(mount?.isPattern == path.contains("*"), "\(text)")
        }
        let emptied = "private-etc x\nprivate-cache\nblacklist /etc/ssh/*\nblacklist /etc/X11\nblacklist ~/.cache/a*"
        for text in ["whitelist ~/.a\nblacklist ~/.b*", "whitelist ~/.a*x\nblacklist ~/.b*", emptied] {
            let made = draft(text)
            #expect(!made.hasLostRestrictions)
            #expect(try !made.spec.filesystem.mounts.contains { $0.isHidden }, "\(text)")
        }
        let warned = draft("noblacklist /proc/sys/kernel/osrelease\nblacklist /proc/sys/*/*").said(.warning)
        #expect(warned.contains { $0.contains("/proc/sys/kernel/osrelease is hidden too") })
    }

    @Test func `what a pattern shows is changed as its matches are`() throws {
        func options(_ text: String, _ path: String) throws -> MountAttributes? {
            let made = draft(text)
            #expect(!made.hasLostRestrictions, "\(text)")
            return try made.spec.mount(at: path)?.options.asked
        }
        let below = "whitelist ${RUNUSER}/way-?\nwhitelist ${RUNUSER}/bus\nnoexec ${RUNUSER}"
        #expect(try options(below, "/var/XDG_RUNTIME_DIR/way-?") == .noExecute)
        #expect(try options(below, "/var/XDG_RUNTIME_DIR/bus") == .noExecute)
        // A match that has a name of its own is changed alone, and so is what lies in one.
        for path in ["~/.x-1", "~/.x-1/in"] {
            let text = "whitelist ~/.x-*\nread-only \(path)"
            #expect(try options(text, "/home/u" + path.dropFirst()) == .readOnly, "\(path)")
            #expect(try options(text, "/home/u/.x-*") == [], "\(path)")
        }
        // A pattern in what is shown by its name.
        let inside = "whitelist ~/.config/a\nwhitelist ~/.b\nread-only ~/.config/*/rc*"
        #expect(try options(inside, "/home/u/.config/a/rc*") == .readOnly)
        #expect(try options(inside, "/home/u/.config/a") == [] && options(inside, "/home/u/.b") == [])
        // Of two patterns that may meet, all of what is shown is.
        let meeting = draft("whitelist ~/.x-*\nread-only ~/.*rc")
        #expect(try meeting.spec.mount(at: "/home/u/.x-*")?.options.asked == .readOnly)
        #expect(meeting.said(.warning).contains { $0 == "ro is all that ~/.x-* shows" })
        #expect(try options("whitelist ~/.x-*\nread-only ~/.*rc\nwhitelist ~/.y*z", "/home/u/.y*z") == [])
    }

    @Test func `what disable-mnt names is gone wherever it is shown`() throws {
        let made = draft("whitelist /run/media\nwhitelist /run/udev\ndisable-mnt")
        #expect(!made.hasLostRestrictions && made.directives(.warning).contains("whitelist /run/media"))
        #expect(try made.spec.mount(at: "/run/media") == nil && made.spec.mount(at: "/run/udev") != nil)
        let spared = draft("noblacklist /run/media\nwhitelist /run/media\ndisable-mnt")
        #expect(try spared.spec.mount(at: "/run/media") != nil)
    }

    @Test func `what leads to run is there`() throws {
        let profile = ImportSource(
            name: "a.profile", text: Array("writable-var\nblacklist /var/run/x\nread-only /var/lock/y".utf8))
        for isLink in [true, false] {
            let context = ImportContext(home: "/home/u", isLink: { _ in isLink })
            let spec = try FirejailImport.draft(of: [profile], [], context).spec
            #expect((spec.mount(at: "/var/run/x") == nil) == isLink && (spec.mount(at: "/var/lock/y") == nil) == isLink)
        }
    }

    @Test func `libraries are chosen only where firejail's administrator lets it be asked for`() {
        #expect(!draft("private-lib").hasLostRestrictions && !draft("private-lib").said(.warning).isEmpty)
        let settings = "/etc/firejail/firejail.config"
        #expect(!draft("private-lib", [settings: "# private-lib yes\nprivate-lib no\n"]).hasLostRestrictions)
        #expect(draft("private-lib", [settings: "private-lib  yes\n"]).hasLostRestrictions)
    }

    @Test func `a path is meant literally by tools that have no patterns`() throws {
        let made = BubblewrapImport.draft(
            of: [], ["--ro-bind", "/a*", "/a*", "--bind", "/b[1]", "/c", "--unshare-user", "true"], ImportContext())
        let spec = try made.spec
        #expect(spec.mount(at: "/a*")?.source == .bind("/a*") && spec.mount(at: "/a*")?.isPattern == false)
        #expect(spec.mount(at: "/c")?.source == .bind("/b[1]"))
    }
}
