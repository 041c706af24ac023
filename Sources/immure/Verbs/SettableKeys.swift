import ArgumentParser
import JailSpec

/// What a shell offers after `--set`.
enum SettableKeys {
    /// Asked of the program each time, so that a script that was installed once knows the keys of the binary it is for.
    static let completion = CompletionKind.custom { _, _, _ in candidates }

    static var candidates: [String] { SectionRows.settable.map { $0 + "=" } }
}
