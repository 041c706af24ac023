import JailPlan
import JailSpec
import LinuxFacts
import TestSupport
import Testing

/// As whom the files of an idmapped mount appear.
@Suite struct FileIDsTests {
    private static func range(_ inside: UInt32, _ outside: UInt32, _ count: UInt32) -> Identity.Range {
        Identity.Range(inside: inside, outside: outside, count: count)
    }

    @Test(
        arguments: [
            // The jail has only its own id: the owner is it.
            ([range(65534, 65534, 1)], 65534, 1234, [range(1234, 65534, 1)]),
            // It is the owner's already.
            ([range(1234, 1234, 1)], 1234, 1234, [range(1234, 1234, 1)]),
            // Ids that the jail has are themselves.
            ([range(0, 100_000, 65536)], 0, 1234, [range(0, 100_000, 65536)]),
            // An owner beyond them takes the place of the command's user: first, last and in the middle.
            ([range(0, 100_000, 10)], 0, 1234, [range(1234, 100_000, 1), range(1, 100_001, 9)]),
            ([range(0, 100_000, 10)], 9, 1234, [range(1234, 100_009, 1), range(0, 100_000, 9)]),
            ([range(0, 100_000, 10)], 4, 1234, [range(1234, 100_004, 1), range(0, 100_000, 4), range(5, 100_005, 5)]),
        ] as [([Identity.Range], UInt32, UInt32, [Identity.Range])])
    func maps(ranges: [Identity.Range], own: UInt32, owner: UInt32, wanted: [Identity.Range]) {
        let ids = FileIDs(users: ranges, groups: [Self.range(7, 8, 1)], user: own, group: 7)
        let found = ids.maps(owner: owner, group: 9)
        #expect(found.users == wanted)
        #expect(found.groups == [Self.range(9, 8, 1)])
        #expect(ids.appearance(of: (owner, 9))?.user == FileIDs.outside(of: owner, in: wanted))
    }

    @Test func theMountIsHeldToIt() throws {
        let plan = try plan("[[mount]]\ntarget = \"/a\"\nsource = \"/b\"\noptions = [\"rw\"]\nidmap = true")
        let found = plan.steps.compactMap { step -> (TreeSource, SlotPromise)? in
            guard case .tree(.fill(_, .tree(let source), let promise)) = step.operation, promise.target == "/a" else {
                return nil
            }
            return (source, promise)
        }
        #expect(found.count == 1 && found[0].0.fileIDs?.user == 65534)
        #expect(found[0].1.held.hasAll(of: .idMapped))
    }
}
