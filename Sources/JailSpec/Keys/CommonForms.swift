/// The forms that more than one section has.
extension ValueForm {
    static let boolean = ValueForm("boolean", .boolean)
    static let string = ValueForm("string", .text())

    /// One word of a closed vocabulary.
    static func words(_ list: [String]) -> ValueForm { ValueForm(written(list), .word(list)) }

    static func words<Word: RawRepresentable & CaseIterable>(of _: Word.Type) -> ValueForm
    where Word.RawValue == String { words(Word.allCases.map(\.rawValue)) }

    /// A word, or a path, which has a slash or begins with `~` or `$`.
    static func words(_ list: [String], orPath path: String) -> ValueForm {
        ValueForm(written(list) + " | " + path, .either([.word(list), .pathBesideWords]))
    }

    private static func written(_ list: [String]) -> String { list.map { "\"\($0)\"" }.joined(separator: " | ") }

    static func integer(_ range: ClosedRange<Int64>, _ words: String? = nil) -> ValueForm {
        ValueForm(words ?? "\(range.lowerBound) to \(range.upperBound)", .integer(range))
    }

    static let size = ValueForm("size", .either([.integer(0...Int64.max), .text(sizePattern("(0|[1-9][0-9]{0,18})"))]))
    static let positiveSize = ValueForm("size", positiveSizeShape)
    static let positiveSizeShape = Shape.either([.integer(1...Int64.max), .text(sizePattern("[1-9][0-9]{0,18}"))])

    private static func sizePattern(_ number: String) -> String { "^\(number)([KMGT]B?)?$" }

    private static let durationPattern = "(0|[1-9][0-9]{0,12})(ms|s|min|h)$"
    static let duration = ValueForm("duration", .text("^" + durationPattern))
    static let positiveDuration = ValueForm("duration", .text("^[1-9][0-9]{0,12}(ms|s|min|h)$"))
    static let offset = ValueForm("duration, which may be negative", .text("^-?" + durationPattern))

    private static let cpu = "(0|[1-9][0-9]{0,3})"
    static let cpuList = ValueForm(
        "list of CPUs such as \"0-3,6\"", .text("^\(cpu)(-\(cpu))?(,\(cpu)(-\(cpu))?)*$"))

    /// Permission bits of three digits.
    static let plainMode = ValueForm("octal string", .text("^0{0,2}[0-7]{1,3}$"))

    /// The same with the bits for set-group-ID and sticky.
    static let directoryMode = ValueForm("octal string", .text("^0?[0-3]?[0-7]{1,3}$"))

    static let hostPath = ValueForm("path of the host", .nonEmpty)
    static let jailPath = ValueForm("path", .text("^(/|~$|~/|[$][{])"))

    /// Paths of the jail, none twice.
    static let jailPaths = ValueForm("array of paths", .list(jailPath.shape, distinct: true))
}
