/// One fault of a spec, worded for the person who wrote it: lower case, no full stop.
package struct Diagnostic: Equatable, Sendable, Error {
    package let position: Position?
    package let message: String
    /// What to write instead, or what to do, where that is known.
    package let hint: String?

    package init(_ message: String, at position: Position?, hint: String? = nil) {
        self.position = position
        self.message = message
        self.hint = hint
    }
}
