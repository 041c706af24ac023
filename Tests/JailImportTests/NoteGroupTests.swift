import JailImport
import JailSpec
import SpecFile
import Testing

@Suite struct NoteGroupTests {
    private func draft(_ text: String) -> Draft {
        let unit = ImportSource(name: "a.service", text: Array(("[Service]\nExecStart=/bin/true\n" + text).utf8))
        return SystemdImport.draft(of: [unit], [], ImportContext())
    }

    private func groups(_ made: Draft, _ kind: ImportNote.Kind) -> [NoteGroup] {
        made.noteGroups.filter { $0.kind == kind }
    }

    @Test func `notes that say the same are one, with the lines`() throws {
        let made = draft("BPFProgram=a:b\nNice=3\nBPFProgram=c:d\nBPFProgram=e:f\nSecureBits=noroot")
        let lost = groups(made, .lostRestriction)
        #expect(lost.map(\.reason) == ["no line for programs of BPF", "no line for securebits"])
        #expect(lost[0].directive.words == "BPFProgram=a:b, 3 lines (3, 5-6)" && lost[0].directive.position.line == 3)
        #expect(lost[1].directive.words == "SecureBits=noroot")
        #expect(made.text(title: []).contains("#   a.service:3 BPFProgram=a:b, 3 lines (3, 5-6): no line for"))
    }

    @Test func `each line of the spec still says where it is from`() throws {
        let text = draft("ReadWritePaths=/a\nReadWritePaths=/b").text(title: [])
        #expect(text.contains("a.service:3 ReadWritePaths=/a") && text.contains("a.service:4 ReadWritePaths=/b"))
    }

    @Test func `what stands in two files is told with their names`() throws {
        let profile = ImportSource(
            name: "a.profile", text: Array("overlay-named a\ninclude b.inc\noverlay-named d".utf8))
        let context = ImportContext(read: { $0 == "b.inc" ? Array("overlay-named c\n".utf8) : nil })
        let made = FirejailImport.draft(of: [profile], [], context)
        #expect(
            groups(made, .lostRestriction).map(\.directive.words) == [
                "overlay-named a, 3 lines (1, b.inc:1, a.profile:3)"
            ])
    }
}
