import JailPlan
import JailSpec
import Testing

/// What holds for every plan: no operation stands where an earlier one has made it impossible.
@Suite struct PlanTests {
    @Test(arguments: Shape.all) func endsInOneExecute(_ shape: Shape) throws {
        let names = try shape.plan().names
        #expect(names.last == "execute" && names.count { $0 == "execute" } == 1)
    }

    @Test(arguments: Shape.all) func nothingNeedsCapabilitiesOnceTheyAreGone(_ shape: Shape) throws {
        let harmless: Set = [
            "die_with_parent", "close_descriptors", "reset_signals", "change_directory", "install_filter", "execute",
        ]
        let names = try shape.plan().names
        let dropped = try #require(names.firstIndex(of: "set_capabilities"))
        #expect(names[(dropped + 1)...].allSatisfy { harmless.contains($0) })
    }

    @Test(arguments: Shape.all) func nothingOfTheHostIsTouchedAfterTheSwitch(_ shape: Shape) throws {
        let names = try shape.plan().names
        guard let switched = names.firstIndex(of: "switch_root") else {
            #expect(!names.contains { ["open_tree", "attach", "begin_root", "seal", "isolate_mounts"].contains($0) })
            return
        }
        let host: Set = [
            "open_tree", "open_device", "make_file_system", "make_file", "attach", "make_directory", "make_symlink",
            "hide",
            "mask", "protect", "seal", "begin_root", "isolate_mounts", "join_namespaces", "create_namespaces",
            "map_identities", "offset_clocks", "set_oom_score", "forbid_user_namespaces", "set_identity", "set_groups",
        ]
        #expect(!names[switched...].contains { host.contains($0) })
    }

    @Test(arguments: Shape.all) func eachOfTheseStandsOnce(_ shape: Shape) throws {
        let plan = try shape.plan()
        let count = { (name: String) in plan.names.count { $0 == name } }
        let once = [
            "join_namespaces", "create_namespaces", "map_identities", "isolate_mounts", "begin_root", "seal",
            "switch_root",
            "set_identity", "set_groups", "start_session", "start_command", "refuse_namespaces", "die_with_parent",
            "create_ruleset", "enforce_ruleset",
        ]
        for name in once { #expect(count(name) <= 1, "\(name)") }
        #expect(count("set_capabilities") == 1 && count("close_descriptors") == 1 && count("reset_signals") == 1)
        #expect((count("start_command") == 1) == plan.supervision.hasInit)
        if plan.shape == .supervised { #expect(count("create_namespaces") == 1) }
        #expect(count("begin_root") == count("switch_root") && count("seal") == count("switch_root"))
    }

    /// Whoever does not reap dies with the launcher by a request of its own.
    @Test(arguments: Shape.all) func theCommandDiesWithItsParent(_ shape: Shape) throws {
        let plan = try shape.plan()
        #expect(plan.names.contains("die_with_parent") == !plan.supervision.hasInit)
    }

    @Test(arguments: Shape.all) func everySlotIsFilledOnceBeforeItIsUsed(_ shape: Shape) throws {
        let plan = try shape.plan()
        var filled: [Int] = []
        var used: [Int] = []
        for operation in plan.operations {
            switch operation {
            case .tree(.fill(let slot, _, _)): filled.append(slot)
            case .tree(.attach(let slot, _, _)), .tree(.beginRoot(let slot)):
                #expect(filled.contains(slot) && !used.contains(slot))
                used.append(slot)
            case .tree(.seal(let slots)): #expect(slots.allSatisfy { used.contains($0) })
            default: break
            }
        }
        #expect(filled.sorted() == Array(0..<plan.slotCount) && used.sorted() == filled.sorted())
    }

    /// No way into a new namespace is left open unless `nested` asks for it.
    @Test(arguments: Shape.all) func namespacesWithinAreForbidden(_ shape: Shape) throws {
        let names = try shape.plan().names
        let closed = names.contains("forbid_user_namespaces") || names.contains("refuse_namespaces")
        #expect(closed == !shape.text.contains("nested = true"))
    }

    @Test(arguments: Shape.all) func everyStepHasATitle(_ shape: Shape) throws {
        let plan = try shape.plan()
        for index in plan.steps.indices { #expect(!plan.title(of: index).isEmpty) }
        #expect(plan.title(of: -1).isEmpty && plan.title(of: plan.steps.count).isEmpty)
        #expect(plan.listing.count == plan.steps.count + plan.notes.count)
    }

    @Test(arguments: Shape.all) func theSameSpecHasTheSamePlan(_ shape: Shape) throws {
        #expect(try shape.plan() == shape.plan())
    }

    @Test func targetsAreAbsoluteAndPlain() throws {
        for shape in Shape.all {
            for case .tree(.attach(_, let target, _)) in try shape.plan().operations {
                #expect(target.hasPrefix("/") && target != "/" && !target.contains("/../") && !target.hasSuffix("/"))
            }
        }
    }
}
