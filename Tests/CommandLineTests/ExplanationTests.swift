import JailPlan
import JailRuntime
import JailSpec
import Kernel
import SpecFile
import Testing

@testable import immure

/// Each cause of a failure that the kernel does not tell apart is told apart by what the host says.
@Suite struct ExplanationTests {
    /// A host with these files, and no others.
    private func host(_ files: [String: String] = [:], uid: UInt32 = 1000) -> Evidence {
        Evidence(text: { files[$0] }, exists: { files[$0] != nil }, uid: uid)
    }

    private func plan(_ text: String = "command = [\"foo\"]\n") throws -> Plan {
        let surroundings = Surroundings(environment: [:], currentDirectory: "/work")
        guard case .table(let table) = try parse(Array(text.utf8), file: "build.toml").value else { return Plan() }
        let document = Document(root: table, files: [])
        return try Planner.plan(Spec.decode(document, in: surroundings).spec, on: Host()).get()
    }

    private func failure(
        _ call: Call, _ errno: Int32, _ text: String = "", in plan: Plan, at name: String, cause: Cause = .kernel
    ) -> Failure {
        var failure = Failure(cause, call: call, errno: Errno(rawValue: errno), text: text)
        failure.step = plan.steps.firstIndex { $0.operation.operationName == name } ?? -1
        return failure
    }

    private func words(_ failure: Failure, _ plan: Plan, _ evidence: Evidence) -> String {
        Report.text(of: Explanation(failure, of: plan, evidence: evidence).diagnostic, as: .error, coloured: false)
    }

    @Test func `the sentence of the contract`() throws {
        let plan = try plan("command = [\"foo\"]\n[filesystem]\nro = [\"/srv\"]\n")
        let step = try #require(plan.steps.firstIndex { $0.origin?.line == 3 })
        var failure = failure(.openTree, 2, "/srv", in: plan, at: "open_tree")
        failure.step = step
        let text = words(failure, plan, host())
        #expect(
            text.hasPrefix("immure: build.toml:3:7: mount /srv: open_tree: ENOENT no such file or directory\nhint: "))
    }

    @Test(arguments: [
        (Int32(1), ["/proc/sys/kernel/unprivileged_userns_clone": "0"], "sysctl kernel.unprivileged_userns_clone=1"),
        (1, ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"], "AppArmor"),
        (1, ["/proc/self/status": "Name:\tx\nSeccomp:\t2\n"], "seccomp=unconfined"),
        (1, ["/proc/self/mountinfo": "25 1 0:22 / /proc rw - proc proc rw"], "chroot"),
        (28, ["/proc/sys/user/max_user_namespaces": "0"], "user.max_user_namespaces is 0; as root: sysctl"),
        (
            28,
            ["/proc/sys/user/max_user_namespaces": "100", "/proc/sys/user/max_net_namespaces": "0"],
            "net namespaces are off"
        ),
        (
            28,
            ["/proc/sys/user/max_user_namespaces": "0", "/proc/self/uid_map": "         0       1000          1"],
            "namespaces.nested = true"
        ),
        (
            11, ["/proc/self/limits": "Limit\nMax processes             20                   20         processes"],
            "RLIMIT_NPROC) is 20"
        ),
        (24, [:], "ulimit -n"),
        (38, [:], "Linux 5.3"),
    ]) func `why there are no namespaces`(errno: Int32, files: [String: String], hint: String) throws {
        let plan = try plan()
        let text = words(failure(.clone3, errno, in: plan, at: "create_namespaces"), plan, host(files))
        #expect(text.contains(hint), "\(text)")
    }

    @Test func `a proc that the container covers`() throws {
        let plan = try plan()
        var failure = failure(.fsmount, 1, "proc", in: plan, at: "make_file_system")
        failure.step = try #require(plan.steps.indices.first { plan.title(of: $0) == "mount proc on /proc" })
        let mounts = """
            25 1 0:22 / /proc rw - proc proc rw
            26 25 0:5 /null /proc/kcore rw - devtmpfs devtmpfs rw
            27 25 0:6 / /proc/sys/fs/binfmt_misc rw - binfmt_misc binfmt_misc rw
            28 25 0:7 / /proc/acpi rw - tmpfs tmpfs rw
            """
        let text = words(failure, plan, host(["/proc/self/mountinfo": mounts]))
        #expect(text.contains("mount proc on /proc: fsmount: EPERM"), "\(text)")
        #expect(text.contains("mount_too_revealing): as root: umount /proc/acpi /proc/kcore, in a"), "\(text)")
    }

    @Test func `a command that is not there`() throws {
        let plan = try plan()
        let text = words(failure(.execve, 2, "foo", in: plan, at: "execute", cause: .commandNotFound), plan, host())
        #expect(text.hasPrefix("immure: build.toml:1:11: execute foo: not found in PATH (/usr/local/sbin:"), "\(text)")
    }

    @Test func `a loader that is not in the jail`() throws {
        let plan = try plan()
        let loader = "/lib64/ld-linux-x86-64.so.2"
        let failure = failure(.execve, 2, loader, in: plan, at: "execute", cause: .loaderMissing)
        #expect(words(failure, plan, host([loader: ""])).contains("ro = [\"/lib64\""))
        #expect(words(failure, plan, host()).contains("apt install libc6"))
        #expect(failure.status == 126)
    }

    /// What comes before the spec's own limit fails by the caller's.
    @Test func `whose limit of descriptors it is`() throws {
        let plan = try plan("command = [\"foo\"]\n[rlimits]\nnofile = 4\n")
        let late = words(failure(.landlockCreateRuleset, 24, in: plan, at: "change_directory"), plan, host())
        #expect(late.contains("build.toml:3:10: ") && late.contains("rlimits.nofile = 32"), "\(late)")
        let early = words(failure(.openTree, 24, in: plan, at: "create_namespaces"), plan, host())
        #expect(!early.contains("build.toml") && early.contains("ulimit -n"), "\(early)")
    }

    @Test func `a failure of no step`() throws {
        let text = words(failure(.socketpair, 24, in: Plan(), at: ""), Plan(), host())
        #expect(text.hasPrefix("immure: launch: socketpair: EMFILE too many open files"))
    }

    @Test func `nothing acts on the terminal`() {
        let text = Report.text(of: Diagnostic("a\u{1b}[2Jb\nc\u{202e}d", at: nil), as: .error, coloured: false)
        #expect(text == "immure: a\\u{1b}[2Jb\\u{a}c\\u{202e}d")
    }

    @Test func `colour leaves the text as it is`() {
        let text = Report.text(of: Diagnostic("a", at: nil, hint: "b"), as: .error, coloured: true)
        #expect(text == "\u{1b}[1;31mimmure:\u{1b}[0m a\n\u{1b}[1mhint:\u{1b}[0m b")
    }
}
