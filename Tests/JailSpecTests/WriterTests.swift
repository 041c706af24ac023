import JailSpec
import SpecFile
import Testing

/// What a spec says is written in words that say the same; `JailPlanTests` tries it on random specs.
@Suite struct WriterTests {
    @Test func `the contract, written and read again`() throws {
        let first = try spec(contractText)
        let text = SpecWriter.text(of: first)
        let second = try spec(text)
        #expect(SpecWriter.text(of: second) == text)
        #expect(second.network.allow?.value.map(\.value) == first.network.allow?.value.map(\.value))
        #expect(second.seccomp?.value.rules.map(\.call.value) == first.seccomp?.value.rules.map(\.call.value))
        #expect(text.split(separator: "\n").count > 50)
    }

    @Test(arguments: ["EPERM", "ENOSYS", "EACCES", "ECONNREFUSED", "allow", "kill", "log", "trap"])
    func `what becomes of a call`(action: String) throws {
        let written = "seccomp.default = \"\(action)\"\nseccomp.profile = \"none\"\n"
        let text = SpecWriter.text(of: try spec(written))
        #expect(try spec(text).seccomp?.value.defaultAction?.value == spec(written).seccomp?.value.defaultAction?.value)
        #expect(text.contains("\"\(action)\""))
    }
}
