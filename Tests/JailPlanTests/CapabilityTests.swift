import JailPlan
import JailSpec
import LinuxFacts
import SpecFile
import TestSupport
import Testing

@Suite struct CapabilityTests {
    private let bind = CapabilitySet(.net_bind_service)

    private func sets(_ text: String, on host: Host = .root) throws -> EffectiveCapabilities {
        try #require(try plan(text, on: host).capabilities)
    }

    private func isPure(_ text: String) throws -> Bool {
        try plan(text).operations.contains(.identity(.setSecureBits(.pureCapabilities)))
    }

    @Test(arguments: [Host.root, .user]) func nothingIsLeftByDefault(_ host: Host) throws {
        let plan = try plan("", on: host)
        #expect(plan.capabilities == EffectiveCapabilities() && plan.bounding == [])
        #expect(plan.operations.contains(.identity(.setSecureBits(.pureCapabilities))))
    }

    /// Capabilities(7): at exec a process that is not uid 0 keeps only its ambient set.
    @Test func keepIsAmbientWhereTheUserIsNotZero() throws {
        let sets = try sets("capabilities.keep = [\"net_bind_service\"]")
        #expect(sets.permitted == bind && sets.effective == bind && sets.inheritable == bind && sets.ambient == bind)
        #expect(try plan("capabilities.keep = [\"net_bind_service\"]").bounding == bind)
    }

    @Test func keepIsNotAmbientForUidZero() throws {
        let sets = try sets("identity.user = 0\ncapabilities.keep = [\"net_bind_service\"]")
        #expect(sets.permitted == bind && sets.effective == bind && sets.inheritable == [] && sets.ambient == [])
    }

    @Test func eachSetByItself() throws {
        let sets = try sets(
            """
            identity.user = 0
            [capabilities]
            bounding = ["chown", "kill", "net_raw"]
            permitted = ["chown", "kill"]
            effective = ["chown"]
            inheritable = ["kill"]
            ambient = ["kill"]
            """)
        #expect(sets.permitted == [CapabilitySet(.chown), CapabilitySet(.kill)])
        #expect(sets.effective == CapabilitySet(.chown))
        #expect(sets.inheritable == CapabilitySet(.kill) && sets.ambient == CapabilitySet(.kill))
        #expect(
            try plan("capabilities.bounding = [\"chown\", \"net_raw\"]").bounding
                == [CapabilitySet(.chown), CapabilitySet(.net_raw)])
    }

    /// Capabilities(7): what the command executes with is computed anew.
    @Test func whatIsLostAtExecIsAFault() throws {
        let both = "capabilities = { permitted = [\"kill\"], effective = [\"kill\"] }"
        let lost = "permitted: kill would be lost when the command is executed"
        for text in [both, "identity.user = 0\n" + both] {
            let found = try faults(text)
            #expect(found.count == 1 && found.allSatisfy { $0.contains(lost) }, "\(found)")
        }
    }

    @Test func keepAddsToTheOtherSets() throws {
        let text = """
            identity.user = 0
            capabilities = { keep = ["kill"], bounding = ["chown"], permitted = ["chown"] }
            """
        let both: CapabilitySet = [CapabilitySet(.kill), CapabilitySet(.chown)]
        #expect(try plan(text).bounding == both)
        let sets = try sets(text)
        #expect(sets.permitted == both && sets.effective == CapabilitySet(.kill))
    }

    /// Locked pure-capability mode only where uid 0 is to gain nothing either way.
    @Test func secureBits() throws {
        for text in ["", "identity.user = 0"] { #expect(try isPure(text)) }
        for set in ["keep", "bounding"] { #expect(try !isPure("capabilities.\(set) = [\"kill\"]")) }
    }

    /// The decoder refuses most of these; the plan must not rely on it.
    @Test func contradictions() throws {
        func fault(_ change: (inout CapabilitySets) -> Void) throws -> [String] {
            var spec = try spec("")
            change(&spec.capabilities)
            guard case .failure(let faults) = Planner.plan(spec, on: .root) else { return [] }
            return faults.diagnostics.map(\.message)
        }
        let kill = Located(CapabilitySet(.kill))
        #expect(try fault { $0.effective = kill } == ["effective: kill not permitted"])
        let both = ["ambient: kill must be permitted and inheritable too"]
        #expect(try fault { $0.ambient = kill } == both)
        #expect(try fault { ($0.ambient, $0.bounding, $0.permitted) = (kill, kill, kill) } == both)
        #expect(try fault { ($0.ambient, $0.bounding, $0.inheritable) = (kill, kill, kill) } == both)
    }

    /// Capset(2): nothing becomes inheritable that is neither inheritable already nor in the bounding set.
    @Test func inheritableMustBeBounding() throws {
        let found = try faults("capabilities.inheritable = [\"kill\"]")
        #expect(found.count == 1)
    }

    @Test func whatTheKernelDoesNotKnowIsRefused() throws {
        let new = Located(CapabilitySet(.checkpoint_restore))
        let writes: [(inout CapabilitySets) -> Void] = [
            { $0.keep = new }, { $0.bounding = new }, { $0.permitted = new }, { $0.effective = new },
            { $0.inheritable = new }, { $0.ambient = new },
        ]
        for write in writes {
            for (last, isKnown) in [(UInt8(39), false), (40, true)] {
                var spec = try spec("")
                write(&spec.capabilities)
                var faults: [String] = []
                if case .failure(let found) = Planner.plan(spec, on: .root.with { $0.lastCapability = last }) {
                    faults = found.diagnostics.map(\.message)
                }
                let fault = "capability checkpoint_restore: the running kernel does not know it"
                #expect(faults.contains(fault) == !isKnown)
            }
        }
    }

    /// A user namespace of the jail's own comes with all of them; any other gives none.
    @Test(arguments: ["host", "/run/ns"]) func rootKeepsWhatItHasAlone(_ user: String) throws {
        let poor = Host.root.with { $0.permitted.remove(CapabilitySet(.kill)) }
        let text = "capabilities.keep = [\"chown\", \"kill\"]\n"
        #expect(try faults(text, on: poor) == [])
        let shared = text + "namespaces.user = \"\(user)\""
        #expect(try faults(shared, on: poor) == ["1:21: capability kill: the caller does not have it"])
        #expect(try faults(shared, on: .root) == [])
    }

    @Test func withoutRootThereIsNothingToKeepInTheHostsUserNamespace() throws {
        let host = "namespaces.user = \"host\"\n"
        #expect(
            try faults(host + "capabilities.keep = [\"kill\"]", on: .user)
                == ["2:21: an ordinary user has no capabilities in the host's user namespace"])
        let plan = try plan(host, on: .loner)
        #expect(
            plan.bounding == nil && !plan.names.contains("set_secure_bits") && plan.names.contains("set_capabilities"))
        #expect(plan.notes.count == 1 && plan.notes[0].message.hasPrefix("the bounding set stays"))
        // Written empty, it is accepted: it says what is there.
        #expect(try faults(host + "capabilities.keep = []", on: .loner) == [])
    }
}
