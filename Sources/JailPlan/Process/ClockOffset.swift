/// An offset of a clock as /proc/PID/timens_offsets takes it; nanoseconds are never negative.
package struct ClockOffset: Equatable, Sendable {
    package let seconds: Int64
    package let nanoseconds: Int64

    package init(_ duration: Duration) {
        let (whole, attoseconds) = duration.components
        let nanos = attoseconds / 1_000_000_000
        seconds = nanos < 0 ? whole - 1 : whole
        nanoseconds = nanos < 0 ? nanos + 1_000_000_000 : nanos
    }
}
