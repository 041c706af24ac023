import CLinux

/// What poll(2) says of one descriptor.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }
    /// The default goes through an existential collection, which the launch has no time for.
    package init(arrayLiteral elements: Readiness...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }

    package static let readable = Readiness(rawValue: Int16(POLLIN))
    package static let writable = Readiness(rawValue: Int16(POLLOUT))
    package static let hungUp = Readiness(rawValue: Int16(POLLHUP))
    package static let failed = Readiness(rawValue: Int16(POLLERR))
}

/// Waits until one of `interests` is ready, for at most `milliseconds` (nil: for ever). A negative descriptor is passed
/// over. The corresponding C function is `poll`.
package func poll(
    _ interests: [(descriptor: Int32, for: Readiness)], milliseconds: Int32?
) throws(KernelError) -> [Readiness] {
    var requests = interests.map { pollfd(fd: $0.descriptor, events: $0.for.rawValue, revents: 0) }
    try persist(.poll) { unsafe CLinux.poll(&requests, nfds_t(requests.count), milliseconds ?? -1) }
    return requests.map { Readiness(rawValue: $0.revents) }
}
