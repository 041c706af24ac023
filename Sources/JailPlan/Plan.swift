package import SpecFile

/// What will be done, in order.
package struct Plan: Equatable, Sendable {
    /// How the launcher stands to the command.
    package enum Shape: String, Equatable, Sendable {
        /// The launcher sets itself up and executes the command in place: no extra process.
        case direct
        /// The launcher stays outside, forwards signals, keeps the deadline and reports.
        case supervised
    }

    /// One operation with the line of the spec that it comes from; nil for a default.
    package struct Step: Equatable, Sendable {
        package let operation: Operation
        package let origin: Position?
    }

    /// Something that the spec or a default asks for and this caller cannot have, said aloud.
    package struct Note: Equatable, Sendable {
        package let message: String
        package let origin: Position?
    }

    /// What the launcher does while the command runs.
    package struct Supervision: Equatable, Sendable {
        package var timeout: Duration?
        package var grace: Duration = .seconds(5)
        package var diesWithParent = true
        /// A reaper is pid 1 inside and the command its child.
        package var hasInit = true
        /// The end of pid 1 ends every process of the jail.
        package var ownsProcesses = true
    }

    package var shape: Shape = .supervised
    package var steps: [Step] = []
    package var notes: [Note] = []
    package var supervision = Supervision()
    /// The number of slots that the operations use.
    package var slotCount = 0

    package init() {}
}
