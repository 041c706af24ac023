/// Which immure this is: what `--version`, the manual and the schema say.
enum Release {
    static let version = "0.1.0"
    /// The day of the release, for the foot of the manual.
    static let date = "2026-01-01"
}
