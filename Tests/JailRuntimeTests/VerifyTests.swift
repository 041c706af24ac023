import JailPlan
import Testing

@testable import JailRuntime
@testable import Kernel

/// What the kernel's texts are compared with.
@Suite struct VerifyTests {
    @Test(arguments: [
        ("0", "0\n", true), ("0", "1\n", false), ("0", "", false), ("", "0", false),
        ("65534 1000 1\n", "     65534       1000          1\n", true),
        ("65534 1000 1\n", "         0       1000          1\n", false),
        ("65534 1000 1\n", "     65534       1000          1\n         1       2000          1\n", false),
        ("5 1005 1\n0 1000 1\n", "0 1000 1\n5 1005 1\n", true), ("deny", "deny\n", true), ("deny", "allow\n", false),
        ("monotonic -1 5\nboottime 0 0\n", "monotonic         -1         5\nboottime           0         0\n", true),
        ("10", "100", false), ("100", "10", false),
    ]) func texts(wanted: String, answer: String, isSame: Bool) {
        #expect(saysSame(Array(wanted.utf8), Array(answer.utf8)) == isSame)
    }

    private static func record(_ identity: UInt64, in parent: UInt64, _ attributes: UInt64 = 3, shared: Bool = false)
        -> String
    {
        let words = ["rw", "ro"][Int(attributes & 1)] + (attributes & 2 != 0 ? ",nosuid" : "")
        return "\(identity) \(parent) 0:1 / /at/\(identity) \(words)\(shared ? " shared:1" : "") - tmpfs none rw\n"
    }

    private static func audit(
        _ lines: [String], mirror: UInt64? = nil, roots: [UInt64] = [1]
    ) -> MountAudit.Fault? {
        var audit = MountAudit(MountTable(parsing: Array(lines.joined().utf8)))
        for root in roots {
            audit.expect(MountAudit.Promise(step: Int(root), attributes: 3), of: root, root == 2 ? .mount : .tree)
        }
        if let mirror { audit.expect(MountAudit.Promise(step: 9, attributes: 3), of: mirror, .mirror) }
        return audit.firstFault()
    }

    @Test func mounts() {
        let r = Self.record
        #expect(Self.audit([r(1, 0, 3, false)]) == nil)
        #expect(Self.audit([r(1, 0, 2, false)])?.promise?.step == 1)
        #expect(Self.audit([r(1, 0, 3, true)])?.promise?.step == 1)
        // What is below answers for the same, however deep, and in whatever order.
        #expect(Self.audit([r(5, 4, 3, false), r(1, 0, 3, false), r(4, 1, 3, false)]) == nil)
        #expect(Self.audit([r(5, 4, 2, false), r(1, 0, 3, false), r(4, 1, 3, false)])?.record.identity == 5)
        // What hangs below a file system of the jail's own, or nowhere, nobody has asked for.
        #expect(
            Self.audit([r(1, 0, 3, false), r(2, 1, 3, false), r(3, 2, 3, false)], roots: [1, 2])?.record.identity == 3)
        #expect(Self.audit([r(1, 0, 3, false), r(7, 6, 3, false)])?.record.identity == 7)
        // What a mirror shows answers for what the mirror stands in.
        #expect(Self.audit([r(1, 0, 3, false), r(8, 1, 3, false), r(9, 8, 3, false)], mirror: 8) == nil)
        #expect(Self.audit([r(1, 0, 3, false), r(8, 1, 3, false), r(9, 8, 2, false)], mirror: 8)?.promise?.step == 1)
    }
}
