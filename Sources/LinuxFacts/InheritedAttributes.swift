/// What a caller may have changed for itself, and exec would pass on to the command.
package struct InheritedAttributes: Equatable, Sendable {
    /// The execution domain of personality(2); 0 is Linux's own.
    package let personality: Int32
    /// Whether transparent huge pages are off, `PR_SET_THP_DISABLE` of prctl(2).
    package let hugePagesOff: Bool
    /// The timer slack in nanoseconds, `PR_SET_TIMERSLACK` of prctl(2). 0 would stand for the value at the last fork, which is
    /// the caller's.
    package let timerSlack: Int32

    package init(personality: Int32, hugePagesOff: Bool, timerSlack: Int32) {
        (self.personality, self.hugePagesOff, self.timerSlack) = (personality, hugePagesOff, timerSlack)
    }

    /// The same of a process whose timers are exact.
    package var withoutSlack: Self { Self(personality: personality, hugePagesOff: hugePagesOff, timerSlack: 0) }

    /// What init has.
    package static let usual = InheritedAttributes(personality: 0, hugePagesOff: false, timerSlack: 50_000)
}
