import Kernel

/// The wall clock of a jail: SIGTERM when the time is up or somebody asks for an end, SIGKILL when the grace is over.
struct Deadline {
    enum Action { case terminate, kill }

    private var next: Int?
    private var graceNanoseconds: Int
    private(set) var isStopping = false
    private var isKilling = false
    /// When somebody last asked for an end, but for repetitions.
    private var requested: Int?
    private(set) var timedOut = false
    /// Whether there was a grace and the jail outlived it.
    private(set) var graceIsOver = false

    init(timeout: Duration?, grace: Duration) {
        graceNanoseconds = Self.nanoseconds(grace)
        next = timeout.map { monotonicNanoseconds() + Self.nanoseconds($0) }
    }

    /// How long poll(2) may wait; nil for ever.
    var milliseconds: Int32? {
        next.map { Int32(clamping: max(0, ($0 - monotonicNanoseconds() + 999_999) / 1_000_000)) }
    }

    /// How long a killed jail may take to end before it is killed anew.
    private static let patience = 100_000_000

    /// What is due now: once each, but for the kill, which comes again until the jail has ended.
    mutating func passed() -> Action? {
        guard let due = next, monotonicNanoseconds() >= due else { return nil }
        if isStopping {
            next = nil  // until `expectEnd`
            if !isKilling, graceNanoseconds > 0 { graceIsOver = true }
            return .kill
        }
        timedOut = true
        isStopping = true
        next = monotonicNanoseconds() + graceNanoseconds
        return .terminate
    }

    /// What a request for an end is to bring about: the grace period begins, it is over, or nothing.
    enum Request { case begins, ends, repeats }

    /// How close to the last request another is the same one: timeout(1) signals its child, and then its whole group.
    private static let repetition = 500_000_000

    /// Somebody asks for an end, by the monotonic clock `now`.
    mutating func requestStop(at now: Int = monotonicNanoseconds()) -> Request {
        if let requested, now - requested < Self.repetition { return .repeats }
        requested = now
        guard !isStopping else { return .ends }
        isStopping = true
        next = now + graceNanoseconds
        return .begins
    }

    /// The jail has been killed; whether it was before, and has not ended for so long.
    mutating func expectEnd() -> Bool {
        let now = monotonicNanoseconds()
        guard isKilling, let due = next, now < due else {
            next = now + Self.patience
            defer { (isStopping, isKilling) = (true, true) }
            return isKilling
        }
        return false
    }

    static func nanoseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return Int(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            + Int(attoseconds / 1_000_000_000)
    }
}
