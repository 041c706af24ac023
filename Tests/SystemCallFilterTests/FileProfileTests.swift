import CLinux
import JailSpec
import Kernel
import SpecFile
import Testing

@testable import SystemCallFilter

/// Profiles of container engines.
@Suite("Profiles from files")
struct FileProfileTests {
    private static let surroundings = Surroundings(environment: [:], currentDirectory: "/")

    private static func profile(_ text: String) throws -> SeccompProfile {
        let decoded = SeccompProfile.decode(try parseJSON(Array(text.utf8), file: "p.json"), in: surroundings)
        #expect(decoded.diagnostics.map(\.message) == [])
        return try #require(decoded.profile)
    }

    private static func resolve(
        _ profile: SeccompProfile, in context: FilterContext = FilterContext(),
        _ change: (inout SeccompPolicy) -> Void = { _ in }
    ) -> EffectivePolicy.Resolved {
        var policy = SeccompPolicy()
        policy.profile = Located(.file("/p.json"))
        policy.file = profile
        change(&policy)
        return EffectivePolicy.resolve(Located(policy), in: context)
    }

    /// podman's own, of Debian's golang-github-containers-common, and what IMMURE_SECCOMP_FILES names beside it.
    static let files: [String] = {
        let named = environmentVariable("IMMURE_SECCOMP_FILES") ?? ""
        let debian = "/usr/share/containers/seccomp.json"
        let isThere = unsafe access(debian, R_OK) == 0
        let isWanted = isThere || environmentVariable("IMMURE_MUST_RUN") != nil
        return (isWanted ? [debian] : []) + named.split(separator: ":").map(String.init)
    }()

    static let contexts: [FilterContext] = FilterTests.architectures.flatMap { architecture in
        [CapabilitySet(rawValue: 0), [CapabilitySet(.sys_admin), CapabilitySet(.audit_write)], .init(rawValue: .max)]
            .map { capabilities in
                var context = FilterContext()
                context.architecture = architecture
                context.capabilities = capabilities
                return context
            }
    }

    /// Where ours and the library's decide differently, on all numbers and the edges of all comparisons.
    private static func differences(_ profile: SeccompProfile, in context: FilterContext) throws -> [String] {
        let policy = try #require(resolve(profile, in: context).policy)
        let engine = EngineProfile(profile: profile, context: context)
        let library = Interpreter(code: try #require(engine.compile()))
        let ours = Interpreter(code: FilterProgram(policy).instructions)
        let isErrno = if case .errno = profile.defaultAction.value { true } else { false }
        let calls = Calls.byNumber(policy)
        var found: [String] = []
        for data in Calls.all(of: policy) {
            let value = try #require(ours.run(data)).value
            guard data.architecture == context.architecture.auditValue else {
                if value != Verdict.kill.rawValue { found.append("\(data)") }
                continue
            }
            let number = Int(data.number)
            var expected = try #require(library.run(data)).value
            // Newer than the library or than the file.
            if let call = calls[number], engine.number(of: call.name) == nil { continue }
            if isErrno, number > engine.highest || calls[number] == nil, number >= 0, number < 1 << 30 {
                expected = Verdict.absent.rawValue
            }
            if data.number < 0 || number >= 1 << 30 { continue }
            // The kernel reads some arguments narrower than the library compares them.
            if let call = calls[number], wide(data, call.name) { continue }
            // The library takes the first of two entries without comparisons, as podman's has them for setns; we the stricter.
            if let name = calls[number]?.name, let strictest = engine.strictest(of: name) { expected = strictest }
            if value != expected { found.append("\(data): \(Verdict(rawValue: value).name)") }
        }
        return found
    }

    private static func wide(_ data: Interpreter.Data, _ name: String) -> Bool {
        guard let index = CallNames.index(of: name) else { return false }
        return (0..<6).contains { data.arguments[$0] & ~callTable[index].bits(ofArgument: $0) != 0 }
    }

    @Test("Files of container engines decide as runc's program for them", arguments: files)
    func engines(_ path: String) throws {
        let root = try parseJSON(Array(readText(path).utf8), file: path)
        let decoded = SeccompProfile.decode(root, in: Self.surroundings)
        #expect(decoded.diagnostics == [])
        let profile = try #require(decoded.profile)
        for context in Self.contexts {
            #expect(Self.resolve(profile, in: context).faults == [])
            let found = try Self.differences(profile, in: context)
            #expect(found == [], "\(found.prefix(3)) in \(context)")
        }
    }

    @Test("Every comparison, and what holds only under circumstances")
    func small() throws {
        let profile = try Self.profile(Self.everything)
        for var context in Self.contexts {
            for kernel in [nil, KernelVersion(major: 4, minor: 7), KernelVersion(major: 4, minor: 8)] {
                context.kernel = kernel
                #expect(try Self.differences(profile, in: context) == [])
            }
        }
    }

    static let everything = #"""
        { "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13,
          "archMap": [ { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] } ],
          "syscalls": [
            { "names": ["read", "execve", "_llseek", "openat2", "futex_waitv"], "action": "SCMP_ACT_ALLOW", "args": null,
              "comment": "\u00e9", "includes": {}, "excludes": {} },
            { "name": "write", "action": "SCMP_ACT_LOG", "args": [] },
            { "names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30, "errno": "EROFS" },
            { "names": ["kill"], "action": "SCMP_ACT_TRAP" },
            { "names": ["acct"], "action": "SCMP_ACT_KILL" },
            { "names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "4.8" } },
            { "names": ["setns"], "action": "SCMP_ACT_ALLOW", "excludes": { "minKernel": "4.8" } },
            { "names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["amd64", "x32"] } },
            { "names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_ADMIN"] } },
            { "names": ["umount2"], "action": "SCMP_ACT_KILL_PROCESS", "excludes": { "caps": ["CAP_SYS_ADMIN"] } },
            { "names": ["clone"], "action": "SCMP_ACT_ALLOW",
              "args": [ { "index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" } ] },
            { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [ { "index": 0, "value": 40, "op": "SCMP_CMP_LT" } ] },
            { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [ { "index": 0, "value": 40, "op": "SCMP_CMP_GT" } ] },
            { "names": ["personality"], "action": "SCMP_ACT_ALLOW",
              "args": [ { "index": 0, "value": 4294967295, "op": "SCMP_CMP_EQ" } ] },
            { "names": ["mmap"], "action": "SCMP_ACT_ALLOW", "args": [
              { "index": 1, "value": 18446744073709551615, "op": "SCMP_CMP_NE" },
              { "index": 5, "value": 4096, "op": "SCMP_CMP_GE" }, { "index": 0, "value": 9, "op": "SCMP_CMP_LE" } ] }
          ] }
        """#

    @Test("The strictest of the entries that are met decides, whatever their order")
    func order() throws {
        let entries = [
            #"{ "names": ["kill"], "action": "SCMP_ACT_ALLOW" }"#,
            #"{ "names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{ "index": 1, "value": 9, "op": "SCMP_CMP_EQ" }] }"#,
            #"{ "names": ["kill"], "action": "SCMP_ACT_LOG", "args": [{ "index": 1, "value": 5, "op": "SCMP_CMP_GE" }] }"#,
        ]
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let list = order.map { entries[$0] }.joined(separator: ",")
            let policy = try #require(
                Self.resolve(try Self.profile(#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[\#(list)]}"#)).policy)
            for (signal, verdict) in [(9, Verdict.errno(1)), (6, .log), (2, .allow)] {
                let answer = policy.answer(
                    number: 62, architecture: Architecture.x86_64.auditValue,
                    arguments: [0, UInt64(signal), 0, 0, 0, 0])
                #expect(answer.verdict == verdict)
            }
        }
    }

    @Test("Lists of the spec stand over the file, and default over what it does not name")
    func lists() throws {
        let profile = try Self.profile(Self.everything)
        let policy = try #require(
            Self.resolve(profile) {
                $0.defaultAction = Located(.errno(22))
                $0.allow = [Located("bpf"), Located("@mount")]
                $0.deny = [Located("read")]
                $0.kill = [Located("socket")]
            }.policy)
        let verdicts = Dictionary(uniqueKeysWithValues: policy.calls.map { ($0.name, $0) })
        #expect(verdicts["bpf"]?.verdict == .allow && verdicts["mount"]?.verdict == .allow)
        #expect(verdicts["read"]?.verdict == .errno(22) && verdicts["swapon"]?.verdict == .errno(22))
        #expect(verdicts["socket"]?.verdict == .kill && verdicts["socket"]?.rules.isEmpty == true)
        #expect(verdicts["mkdirat"]?.verdict == .errno(30))
        // Younger than the file, which names futex_waitv as its youngest.
        #expect(verdicts["listmount"]?.verdict == .errno(38))
        #expect(policy.passedOver.map(\.value) == ["_llseek"])
        #expect(policy.closedABIs.map(\.value) == ["SCMP_ARCH_X86", "SCMP_ARCH_X32"])
        #expect(verdicts["write"]?.origin.position == Position(file: "p.json", line: 6, column: 15))
    }

    @Test("A file that nobody read is a fault")
    func unread() {
        var policy = SeccompPolicy()
        policy.profile = Located(.file("/p.json"))
        #expect(EffectivePolicy.resolve(Located(policy), in: FilterContext()).faults.count == 1)
    }

    static let faults: [(text: String, line: Int, words: String)] = [
        ("[]", 1, "must be an object"), ("{}", 1, "has no defaultAction"),
        ("{\n\"defaultAction\": \"SCMP_ACT_ALOW\"}", 2, "SCMP_ACT_ALOW"),
        ("{\n\"defaultAction\": \"SCMP_ACT_NOTIFY\"}", 2, "SCMP_ACT_NOTIFY is not implemented"),
        ("{\n\"defaultAction\": \"SCMP_ACT_TRACE\"}", 2, "SCMP_ACT_TRACE is not implemented"),
        ("{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\"defaultErrnoRet\": 1}", 2, "no errno"),
        ("{\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\"defaultErrnoRet\": 5000}", 2, "within 0 to 4095"),
        (
            "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 1,\n\"defaultErrno\": \"ENOSYS\"}", 2,
            "number 1"
        ),
        ("{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\"listenerPath\": \"/x\"}", 2, "not implemented"),
        ("{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\"flags\": [\"SECCOMP_FILTER_FLAG_LOG\"]}", 2, "_LOG"),
        ("{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\"architectures\": [\"SCMP_ARCH_X87\"]}", 2, "SCMP_ARCH_X87"),
        ("{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\"syscall\": []}", 2, "unknown key \"syscall\""),
        (entry("\"names\": [\"kill\"]"), 2, "syscalls: has no action"),
        (entry("\"action\": \"SCMP_ACT_ALLOW\""), 2, "is missing"),
        (entry("\"names\": [\"opn\"], \"action\": \"SCMP_ACT_KILL\", \"errnoRet\": 1"), 2, "no errno"),
        (entry(comparison("\"index\": 6, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"")), 2, "within 0 to 5"),
        (entry(comparison("\"index\": 0, \"value\": -1, \"op\": \"SCMP_CMP_EQ\"")), 2, "-1 is not within"),
        (entry(comparison("\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_IS\"")), 2, "SCMP_CMP_IS"),
        (
            entry(comparison("\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\", \"valueTwo\": 1")), 2,
            "only for SCMP_CMP_MASKED_EQ"
        ),
        (entry(comparison("\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\", \"bits\": 1")), 2, "bits"),
        (
            entry(
                comparison(
                    "\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\" }, "
                        + "{ \"index\": 0, \"value\": 2, \"op\": \"SCMP_CMP_EQ\"")), 2, "two comparisons"
        ),
        (
            entry("\"names\": [\"kill\"], \"action\": \"SCMP_ACT_KILL\", \"includes\": { \"caps\": [\"CAP_X\"] }"), 2,
            "CAP_X"
        ),
        (
            entry("\"names\": [\"kill\"], \"action\": \"SCMP_ACT_KILL\", \"includes\": { \"arches\": [\"vax\"] }"), 2,
            "vax"
        ),
        (
            entry("\"names\": [\"kill\"], \"action\": \"SCMP_ACT_KILL\", \"includes\": { \"minKernel\": \"4\" }"), 2,
            "4.8"
        ),
        (entry("\"names\": [\"kill\"], \"action\": \"SCMP_ACT_KILL\", \"includes\": { \"os\": 1 }"), 2, "unknown key"),
    ]

    private static func entry(_ inside: String) -> String {
        "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [\n{ \(inside) } ]}"
    }

    private static func comparison(_ inside: String) -> String {
        "\"names\": [\"kill\"], \"action\": \"SCMP_ACT_KILL\", \"args\": [{ \(inside) }]"
    }

    @Test("What is wrong with a file is said with its place", arguments: faults.indices)
    func wrong(_ index: Int) throws {
        let (text, line, words) = Self.faults[index]
        let root = try parseJSON(Array(text.utf8), file: "p.json")
        let found = SeccompProfile.decode(root, in: Self.surroundings).diagnostics
        #expect(
            found.contains { "\($0.message) \($0.hint ?? "")".contains(words) && $0.position?.line == line }, "\(found)"
        )
    }

    @Test("Names and values that no call has are faults of the policy")
    func impossible() throws {
        for (inside, words) in [
            ("\"names\": [\"opennat\"], \"action\": \"SCMP_ACT_KILL\"", "unknown system call \"opennat\""),
            (Self.comparison("\"index\": 0, \"value\": 4294967296, \"op\": \"SCMP_CMP_EQ\""), "is never 4294967296"),
            (
                Self.comparison("\"index\": 0, \"value\": 1, \"valueTwo\": 2, \"op\": \"SCMP_CMP_MASKED_EQ\""),
                "is never 2"
            ),
            (Self.comparison("\"index\": 0, \"value\": 0, \"op\": \"SCMP_CMP_MASKED_EQ\""), "no bit is compared"),
        ] {
            let faults = Self.resolve(try Self.profile(Self.entry(inside))).faults
            #expect(faults.count == 1 && faults[0].message.contains(words), "\(faults)")
            #expect(faults.first?.position?.line == 2)
        }
    }
}
