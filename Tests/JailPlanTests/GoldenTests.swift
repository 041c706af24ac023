import JailPlan
import JailSpec
import Kernel
import SpecFile
import TestSupport
import Testing

/// A whole plan as `immure plan` prints it, in a file of `Golden`.
///
/// `IMMURE_RECORD=1` writes them anew: read the difference before it is committed.
struct Golden: Sendable, CustomTestStringConvertible {
    let name: String
    let host: Host
    let text: String

    init(_ name: String, _ host: Host, _ text: String = "") { (self.name, self.host, self.text) = (name, host, text) }

    var testDescription: String { name }

    static let all = [
        Golden("empty-root", .root),
        Golden("empty-user", .user),
        Golden("host-root", .root, "filesystem.root = \"host\""),
        Golden("directory-root", .root, "filesystem.root = \"/srv/tree\"\nfilesystem.writable = true"),
        Golden("explicit-maps", .user, Shape.maps),
        Golden("auto-maps", .user, Shape.auto),
        Golden("joined-root", .root, Shape.joined),
        Golden("joined-user", .user, Shape.joined),
        Golden("published", .user, "network.publish = [\"8080:80\", \"[::]:53:53/udp\"]"),
        Golden("direct", .root, "namespaces.pid = \"host\"\nnamespaces.user = \"host\""),
        Golden("nothing-of-its-own", .user, Shape.allHost),
        Golden("landlock", .user, Shape.landlock),
        Golden("everything", .root, Shape.everything),
        Golden("limits-root", .limited, LimitTests.all),
        Golden("limits-scope", .inSession, Shape.limits),
        Golden("limits-unit-direct", .inUnit, "namespaces.pid = \"host\"\n" + Shape.limits),
    ]

    private var path: String {
        let directory = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return "/\(directory)/Golden/\(name).txt"
    }

    func recorded() throws -> String { try readText(path) }

    func record(_ text: String) throws {
        let file = try Kernel.open(path, [.write, .create, .truncate], permissions: 0o644)
        try writeAll(file.number, Array(text.utf8))
    }
}

@Suite struct GoldenTests {
    @Test(arguments: Golden.all) func plans(_ golden: Golden) throws {
        let text = try plan(golden.text, on: golden.host).listing.map { $0 + "\n" }.joined()
        if environmentVariable("IMMURE_RECORD") == "1" { try golden.record(text) }
        let recorded = try golden.recorded()
        let (new, old) = (text.split(separator: "\n"), recorded.split(separator: "\n"))
        for (line, pair) in zip(new, old).enumerated() where pair.0 != pair.1 {
            Issue.record("\(golden.name).txt:\(line + 1)\n  was \(pair.1)\n  is  \(pair.0)")
            return
        }
        #expect(new.count == old.count, "\(golden.name).txt has \(old.count) lines, the plan \(new.count)")
    }

    /// What JSON has is what the listing has: as many steps, the same names and summaries.
    @Test(arguments: Golden.all) func json(_ golden: Golden) throws {
        let plan = try plan(golden.text, on: golden.host)
        let lines = plan.json.lines.split(separator: "\n").dropFirst().dropLast()
        #expect(lines.count == plan.steps.count)
        for (index, line) in lines.enumerated() {
            #expect(line.hasPrefix("  {\"step\": \(index + 1), \"operation\": \"\(plan.names[index])\", \"summary\": "))
        }
    }
}
