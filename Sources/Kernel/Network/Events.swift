import CLinux

/// Descriptors that are waited for, epoll(7): what waiting costs does not grow with their number. One leaves as it is closed.
package struct Events: Sendable {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let readable = Interest(rawValue: 0x1)
        package static let writable = Interest(rawValue: 0x4)
        /// EPOLLRDHUP: its peer writes no more.
        package static let ended = Interest(rawValue: 0x2000)
        /// EPOLLERR and EPOLLHUP, which are told always.
        package static let broken = Interest(rawValue: 0x18)
    }

    private let number: Int32

    /// The corresponding C function is `epoll_create1`.
    package init() throws(KernelError) { number = try attempt(.epoll) { linux_events_open() } }

    /// Adds a descriptor. The corresponding C function is `epoll_ctl`.
    package func add(_ descriptor: Int32, for interest: Interest) throws(KernelError) {
        try attempt(.epoll) { linux_events_set(number, EPOLL_CTL_ADD, descriptor, interest.rawValue) }
    }

    /// What is to be told of one from here on.
    package func change(_ descriptor: Int32, to interest: Interest) throws(KernelError) {
        try attempt(.epoll) { linux_events_set(number, EPOLL_CTL_MOD, descriptor, interest.rawValue) }
    }

    /// Nothing more is to be told of it.
    package func remove(_ descriptor: Int32) throws(KernelError) {
        try attempt(.epoll) { linux_events_set(number, EPOLL_CTL_DEL, descriptor, 0) }
    }

    /// Waits until something is to be told, or `milliseconds` are over. The corresponding C function is `epoll_wait`.
    package func wait(milliseconds: Int32?) throws(KernelError) -> [(descriptor: Int32, found: Interest)] {
        var descriptors = [Int32](repeating: -1, count: 64)
        var found = [UInt32](repeating: 0, count: 64)
        let count = try persist(.epoll) {
            unsafe linux_events_wait(number, &descriptors, &found, 64, milliseconds ?? -1)
        }
        return (0..<Int(count)).map { (descriptors[$0], Interest(rawValue: found[$0])) }
    }
}
