package import SpecFile

/// Something that is to be said to the person.
package enum UserMessage: Sendable {
    /// Nothing went on from here, or something was ended.
    case error(Diagnostic)
    case warning(Diagnostic)
    case note(Diagnostic)
    /// Rows of equally many cells, the headings first.
    case table([[String]])
}

/// Where messages go: whoever launches decides how they are said. Called in any of the processes of a launch, the command's
/// own before it is executed among them.
package typealias MessageSink = (UserMessage) -> Void
