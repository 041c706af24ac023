import SpecFile
import Testing

@Suite struct OverrideTests {
    func root(_ overrides: String..., over text: String = "") throws -> Table {
        let files = Files()
        return try files.load(files.write("s", text), overrides: overrides).root
    }

    @Test func valuesAreToml() throws {
        #expect(try root("a=1").at("a") == .integer(1))
        #expect(try root("a.b.c = \"x=y\"").at("a.b.c") == .string("x=y"))
        #expect(try root("\"a=b\".'c\"d'=true")["a=b"] != nil)
        #expect(try root("a=[1,\n2]").entries.count == 1)
        #expect(try root("a='''x\ny'''").at("a") == .string("x\ny"))
        #expect(try root("a={b=1,c=2}").at("a.c") == .integer(2))
        #expect(try root("t.new=1")["t"]?.node.position.file == "--set")
    }

    @Test func overridesReplaceAndMerge() throws {
        let text = "x = 'a'\nlist = ['1']\n[t]\na = 1\nb = 2\ntime = 'host'"
        #expect(try root("list=['2']", over: text).strings("list") == ["2"])
        let merged = try root("t.a=5", "t.c=6", "t.a=7", over: text)
        #expect(merged.at("t.a") == .integer(7) && merged.at("t.b") == .integer(2) && merged.at("t.c") == .integer(6))
        #expect(try root("t={b=9}", over: text).at("t.a") == .integer(1))
        #expect(try root("t.time.monotonic='1h'", over: text).at("t.time.monotonic") == .string("1h"))
        #expect(try root("x=1", over: text).at("x") == .integer(1))
    }

    @Test func aBareWordIsAnsweredWithItsQuotes() {
        let fault = Files().failure(nil, overrides: ["hostname=x"])
        #expect(
            fault?.hint
                == "a string needs its quotes, and a list brackets besides: --set 'hostname=\"x\"', or --set 'hostname=[\"x\"]'"
        )
        #expect(fault?.position?.file == "--set" && fault?.message.hasPrefix("\"hostname=x\": ") == true)
    }

    @Test(arguments: [
        "", "a", "=1", "a=", "a=1\nb=2", "[a]\nb=1", "a\n=1", "#=1", "a b=1", "a.=1", ".a=1", "a=1 b=2",
        "extends=['x']",
        "extends.a=1", "a={b=1}\nc=1", "\"a=1", "a.b=1\na.c=2", "a=1\u{0}",
    ])
    func overridesThatAreWrong(text: String) {
        #expect(Files().failure(nil, overrides: [text])?.position?.file == "--set")
    }

    @Test func allFaultsAtOnce() {
        #expect(throws: Rejection.self) {
            do throws(Rejection) {
                _ = try Files().load("/nowhere", overrides: ["a", "b", "c=1"])
            } catch {
                #expect(error.diagnostics.count == 3)
                throw error
            }
        }
    }
}
