import JailPlan
import JailSpec
import LinuxFacts
import TestSupport
import Testing

@Suite struct ExpandTests {
    private func placements(_ text: String, _ matches: [PatternMatches]) throws -> [String] {
        try plan(text, on: .user.with { $0.matches = matches }).placements.filter { $0.contains("/x") }
    }

    @Test func eachMatchIsAMount() throws {
        let found = PatternMatches("/x/*", isOfJail: false, paths: ["/x/a", "/x/b"])
        #expect(try placements("filesystem.ro = [\"/x/*\"]", [found]) == ["attach /x/a", "attach /x/b"])
        // Of the same text, one of the jail is another.
        let hidden = PatternMatches("/x/*", isOfJail: true, paths: ["/x/c"])
        #expect(
            try placements("filesystem = { ro = [\"/x\", \"/x/*\"], hide = [\"/x/*\"] }", [found, hidden])
                == ["attach /x", "attach /x/a", "attach /x/b", "hide /x/c"])
    }

    @Test func whatIsNamedByItselfIsAsItsLineSays() throws {
        let found = PatternMatches("/x/*", isOfJail: false, paths: ["/x/a", "/x/b"])
        let host = Host.user.with { $0.matches = [found] }
        let plan = try plan("filesystem = { ro = [\"/x/*\"], rw = [\"/x/a\"] }", on: host)
        guard case .tree(.fill(_, _, let first))? = plan.source(on: "/x/a"),
            case .tree(.fill(_, _, let second))? = plan.source(on: "/x/b")
        else { return #expect(Bool(false)) }
        #expect(!first.held.hasAll(of: .readOnly) && second.held.hasAll(of: .readOnly))
    }

    @Test func whatIsHiddenIsNotShownByAPattern() throws {
        let shown = PatternMatches("/x/*", isOfJail: false, paths: ["/x/a", "/x/b", "/x/c"])
        let hidden = PatternMatches("/x/a*", isOfJail: true, paths: ["/x/a"])
        let text = "filesystem = { ro = [\"/x/*\"], hide = [\"/x/a*\"] }"
        #expect(try placements(text, [shown, hidden]) == ["attach /x/b", "attach /x/c", "hide /x/a"])
        // Below a cover nothing is mounted, and nothing is covered once more.
        let deep = PatternMatches("/x/*/k", isOfJail: false, paths: ["/x/a/k", "/x/b/k"])
        let again = PatternMatches("/x/*/*", isOfJail: true, paths: ["/x/a/k", "/x/a/l", "/x/c/l"])
        let both = "filesystem = { ro = [\"/x\", \"/x/*/k\"], hide = [\"/x/a\", \"/x/*/*\"] }"
        #expect(try placements(both, [deep, again]) == ["attach /x", "attach /x/b/k", "hide /x/a", "hide /x/c/l"])
    }

    @Test func faultsOfPatterns() throws {
        let (a, b) = (
            PatternMatches("/x/*", isOfJail: false, paths: ["/x/a"]),
            PatternMatches("/x/?", isOfJail: false, paths: ["/x/a"])
        )
        let host = Host.user.with { $0.matches = [a, b] }
        #expect(try faults("filesystem.ro = [\"/y*\"]", on: host) == ["1:18: nothing matches the pattern \"/y*\""])
        #expect(try faults("filesystem.ro = [\"/x/*\", \"/x/?\"]", on: host).isEmpty)
        let found = try faults("filesystem = { ro = [\"/x/*\"], rw = [\"/x/?\"] }", on: host)
        #expect(found.count == 1 && found[0].contains("the pattern matches /x/a, and at "), "\(found)")
    }

    @Test func whoASourceIsMadeFor() throws {
        let mount = "[[mount]]\ntarget = \"/x\"\nsource = \"/srv/x\"\ncreate = true\n"
        func making(_ text: String, _ host: Host) throws -> SourceMaking? {
            try plan(text + mount, on: host).operations.lazy.compactMap {
                if case .tree(.makeSource(let making)) = $0 { making } else { nil }
            }.first
        }
        let ordinary = try making("", .user)
        #expect(ordinary?.owner == nil && ordinary?.mode == 0o755 && ordinary?.isDirectory == true)
        #expect(try making("identity.user = 33\n", .root)?.owner.map { "\($0.user):\($0.group)" } == "33:33")
        let auto = try making("identity = { user = 1, group = 2, uid_map = \"auto\", gid_map = \"auto\" }\n", .root)
        #expect(auto?.owner.map { "\($0.user):\($0.group)" } == "200001:200002")
    }
}
