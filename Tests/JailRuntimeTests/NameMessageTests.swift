import JailPlan
import JailSpec
import TestSupport
import Testing

@testable import JailRuntime

/// Messages of the domain name system as somebody sends them who wants to be misunderstood.
@Suite struct NameMessageTests {
    private func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + $0.utf8 } + [0]
    }

    private func question(_ text: String, _ type: UInt16 = 1, more: [UInt8] = []) -> [UInt8] {
        [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, more.isEmpty ? 0 : 1] + name(text) + bigEndian(type) + [0, 1] + more
    }

    private func asked(_ bytes: [UInt8]) -> AskedMessage? {
        if case .asked(let message) = AskedMessage.read(bytes) { message } else { nil }
    }

    /// An answer to `question("a.b")` with these records.
    private func reply(_ records: [[UInt8]], flags: UInt16 = 0x8180) -> [UInt8] {
        [0x12, 0x34] + bigEndian(flags) + bigEndian(1) + bigEndian(UInt16(records.count)) + [0, 0, 0, 0] + name("a.b")
            + [0, 1, 0, 1] + records.flatMap { $0 }
    }

    private func record(
        _ owner: [UInt8], _ type: UInt16, _ content: [UInt8], seconds: [UInt8] = [0, 0, 0, 5]
    ) -> [UInt8] {
        owner + bigEndian(type) + [0, 1] + seconds + bigEndian(UInt16(content.count)) + content
    }

    private var ours: NameQuestion { NameQuestion(name: name("a.b"), type: 1) }

    private func addresses(_ bytes: [UInt8]) -> [String]? {
        Answer(bytes, to: ours).map { $0.addresses.map { "\($0.address)" } }
    }

    @Test func aQuestionIsPutInWordsOfOurOwn() throws {
        let cookie: [UInt8] = [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 8, 0, 10, 0, 4, 1, 2, 3, 4]
        let message = try #require(asked(question("Good.test", more: cookie)))
        #expect(message.question.name == name("Good.test") && message.room == 4096 && message.wantsRecursion)
        let query = message.query(id: 0xABCD)
        let head: [UInt8] = [0xAB, 0xCD, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
        #expect(query == head + name("Good.test") + [0, 1, 0, 1] + Answer.options)
        #expect(message.query(id: 0xABCD, isBare: true) == head.dropLast() + [0] + name("Good.test") + [0, 1, 0, 1])
        let widest: [UInt8] = [0, 0, 41, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0]
        #expect(asked(question("a.b", more: widest))?.room == 65_000)
    }

    @Test func whatIsNoQuestionIsRefused() {
        func code(_ bytes: [UInt8]) -> UInt8? {
            if case .answered(let message) = AskedMessage.read(bytes) { message[3] & 0xF } else { nil }
        }
        let good = question("a.b")
        #expect(code(Array(good.prefix(12))) == 1 && code(Array(good.dropLast())) == 1)
        #expect(code([0, 0, 0x28, 0] + good.dropFirst(4)) == 4, "an update")
        #expect(code(good.dropLast(2) + [0, 3]) == 5, "another class")
        #expect(code([0, 0, 1, 0, 0, 2] + good.dropFirst(6)) == 1, "two questions")
        for count in 0..<12 {
            #expect(code(Array(good.prefix(count))) == nil && asked(Array(good.prefix(count))) == nil)
        }
        #expect(code(reply([])) == nil, "an answer")
    }

    @Test func aServerThatKnowsNoOptionsSaysSoByItsHeader() {
        let refusal: [UInt8] = [0x12, 0x34, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(Answer.refusesAll(id: 0x1234, refusal) && !Answer.refusesAll(id: 0x1235, refusal))
        #expect(!Answer.refusesAll(id: 0x1234, [0x12, 0x34, 0x01] + refusal.dropFirst(3)), "a question")
        #expect(!Answer.refusesAll(id: 0x1234, [0x12, 0x34, 0x81, 0x82] + refusal.dropFirst(4)), "another code")
        #expect(!Answer.refusesAll(id: 0x1234, refusal + [0]) && !Answer.refusesAll(id: 0x1234, []))
    }

    @Test func namesThatLeadInACircleAreNone() {
        let broken: [[UInt8]] = [
            [0xC0, 0], [0xC0, 2, 0xC0, 0], [1, 65, 0xC0, 0], [0xC0, 5], [0xC0], [0x40, 0], [0x80, 0], [5, 65], [],
            [UInt8](repeating: 0x3F, count: 300),
        ]
        for bytes in broken {
            var reader = NameReader(bytes)
            #expect(reader.name() == nil, "\(bytes.prefix(8))")
        }
        var forth = NameReader([1, 65, 0, 1, 66, 0xC0, 0, 9], at: 3)
        #expect(forth.name() == [1, 66, 1, 65, 0] && forth.place == 7)
    }

    @Test func aNameHas255BytesAtMost() {
        func labels(_ lengths: [Int]) -> [UInt8] {
            lengths.flatMap { [UInt8($0)] + [UInt8](repeating: 97, count: $0) } + [0]
        }
        var whole = NameReader(labels([63, 63, 63, 61]))
        #expect(whole.name()?.count == 255)
        var tooLong = NameReader(labels([63, 63, 63, 62]))
        #expect(tooLong.name() == nil)
    }

    @Test func anAnswerIsToTheQuestion() {
        let good = reply([])
        #expect(Answer.answers(ours, id: 0x1234, good))
        #expect(Answer.answers(NameQuestion(name: name("A.b"), type: 1), id: 0x1234, good))
        #expect(!Answer.answers(ours, id: 0x1235, good))
        #expect(!Answer.answers(NameQuestion(name: name("a.c"), type: 1), id: 0x1234, good))
        #expect(!Answer.answers(NameQuestion(name: name("a.b"), type: 28), id: 0x1234, good))
        #expect(!Answer.answers(ours, id: 0x1234, reply([], flags: 0x0180)), "a question")
        for count in good.indices { #expect(!Answer.answers(ours, id: 0x1234, Array(good.prefix(count)))) }
    }

    @Test func addressesAreThoseOfTheChain() {
        let here: [UInt8] = [0xC0, 12]
        #expect(addresses(reply([record(here, 1, [1, 2, 3, 4])])) == ["1.2.3.4"])
        #expect(addresses(reply([record(name("x.y"), 1, [1, 2, 3, 4])])) == [], "of a name that was not asked for")
        let chain = [
            record(name("d.e"), 1, [9, 9, 9, 9]), record(name("X.y"), 5, name("d.E")), record(here, 5, name("x.y")),
            record(here, 1, [6, 6, 6, 6]),
        ]
        #expect(addresses(reply(chain)) == ["9.9.9.9"], "in any order, and none beside the alias")
        let circle = [record(here, 5, name("x.y")), record(name("x.y"), 5, name("a.b"))]
        #expect(addresses(reply(circle)) == nil)
        #expect(addresses(reply([record(here, 28, [UInt8](repeating: 1, count: 16))])) == [], "another type")
        #expect(addresses(reply([record(here, 1, [1, 2, 3])])) == nil)
        #expect(addresses(reply([record(here, 5, [3, 65])])) == nil)
    }

    @Test func timesAreBounded() {
        let far = Answer(reply([record([0xC0, 12], 1, [1, 2, 3, 4], seconds: [0x7F, 0xFF, 0, 0])]), to: ours)
        #expect(far?.addresses.first?.seconds == 86_400)
        let negative = Answer(reply([record([0xC0, 12], 1, [1, 2, 3, 4], seconds: [0x80, 0, 0, 1])]), to: ours)
        #expect(negative?.addresses.first?.seconds == 0)
    }

    @Test func whatIsToldIsReadAsItWasMeant() throws {
        let message = try #require(asked(question("a.b")))
        let records = [
            record([0xC0, 12], 5, name("x.y")), record(name("x.y"), 1, [1, 2, 3, 4]),
            record(name("x.y"), 1, [10, 0, 0, 1]),
        ]
        var answer = try #require(Answer(reply(records), to: ours))
        answer.keep(atMost: 512) { $0.bytes[0] != 10 }
        let told = answer.message(to: message)
        #expect(Answer.answers(ours, id: 0x1234, told))
        let again = try #require(Answer(told, to: ours))
        #expect(again.aliases.map(\.target) == [name("x.y")])
        #expect(again.addresses.map { "\($0.address)" } == ["1.2.3.4"])
    }

    @Test func noMessageIsTooMuch() {
        var numbers = Seeded(17)
        let whole = reply([record([0xC0, 12], 5, name("x.y")), record(name("x.y"), 1, [1, 2, 3, 4])])
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                let place = Int.random(in: 0..<bytes.count, using: &numbers)
                bytes[place] = .random(in: 0...255, using: &numbers)
            }
            bytes.removeLast(Int.random(in: 0...3, using: &numbers))
            if Answer.answers(ours, id: 0x1234, bytes) { _ = Answer(bytes, to: ours) }
            bytes[2] &= 0x7F
            _ = AskedMessage.read(bytes)
        }
    }

    @Test func namesArePrintedWithoutWhatATerminalWouldHeed() {
        #expect(RefusedNames.text(name("a-b_c.d")) == "a-b_c.d")
        #expect(RefusedNames.text([4, 27, 91, 109, 34, 3, 46, 92, 200, 0]) == "\\027\\091m\\034.\\046\\092\\200")
        #expect(RefusedNames.text([0]) == "")
    }
}
