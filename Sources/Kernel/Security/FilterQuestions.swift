import CLinux

/// A call of a filtered process that waits until somebody answers, seccomp_unotify(2).
package struct Question: Sendable {
    package let id: UInt64
    /// The thread, as the reader's pid namespace numbers it.
    package let thread: Int32
    /// What a filter is given: the number, `AUDIT_ARCH_…`, six arguments.
    package let number: Int32
    package let architecture: UInt32
    package let arguments: [UInt64]

    package init(id: UInt64, thread: Int32, number: Int32, architecture: UInt32, arguments: [UInt64]) {
        (self.id, self.thread, self.number) = (id, thread, number)
        (self.architecture, self.arguments) = (architecture, arguments)
    }
}

/// Has who waits and who answers run on one processor, one after the other, where the kernel can (Linux 6.6). The corresponding C
/// call is `ioctl(SECCOMP_IOCTL_NOTIF_SET_FLAGS)`.
package func hastenQuestions(_ listener: Int32) { linux_seccomp_hasten(listener) }

/// The next call that waits; nil where its process has gone meanwhile. The corresponding C call is
/// `ioctl(SECCOMP_IOCTL_NOTIF_RECV)`.
package func nextQuestion(_ listener: Int32) throws(KernelError) -> Question? {
    var question = linux_question()
    do throws(KernelError) {
        try persist(.ioctl) { unsafe linux_seccomp_receive(listener, &question) }
    } catch {
        guard error.errno == .noEntry else { throw error }
        return nil
    }
    let arguments = question.arguments
    return Question(
        id: question.id, thread: question.thread, number: question.number, architecture: question.architecture,
        arguments: [arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5])
}

/// Answers a call: it is made, or fails with `errno`. A process that has gone needs none: false says that the call no longer
/// waited, and what was read of its thread may be another's. The corresponding C call is `ioctl(SECCOMP_IOCTL_NOTIF_SEND)`.
@discardableResult
package func answer(_ question: Question, on listener: Int32, failing errno: Errno? = nil) throws(KernelError) -> Bool {
    do throws(KernelError) {
        try persist(.ioctl) { linux_seccomp_answer(listener, question.id, errno?.rawValue ?? 0) }
        return true
    } catch {
        guard error.errno == .noEntry else { throw error }
        return false
    }
}

/// Gives who waits a descriptor of this process, in place of what it has under that number; false where it waits no more. The
/// corresponding C call is `ioctl(SECCOMP_IOCTL_NOTIF_ADDFD)`, Linux 5.9.
package func give(
    _ descriptor: Int32, as number: Int32, to question: Question, on listener: Int32
) throws(KernelError) -> Bool {
    do throws(KernelError) {
        try persist(.ioctl) { linux_seccomp_give(listener, question.id, descriptor, number) }
        return true
    } catch {
        guard error.errno == .noEntry else { throw error }
        return false
    }
}

/// Whether the call still waits, and so the thread is still the one that made it. The corresponding C call is
/// `ioctl(SECCOMP_IOCTL_NOTIF_ID_VALID)`.
package func isPending(_ question: Question, on listener: Int32) -> Bool {
    linux_seccomp_is_pending(listener, question.id) != 0
}

/// Where a child in the caller's memory leaves the number of its listener, and what else it cannot say by a call.
@safe package final class ListenerSlot {
    private let place: UnsafeMutablePointer<Int32>

    package init() {
        unsafe place = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        unsafe place.initialize(to: -1)
    }

    /// The listener's number; nil says that there will be none.
    package func fill(_ listener: Int32?) { unsafe place.pointee = listener ?? -2 }

    fileprivate var pointer: UnsafeMutablePointer<Int32> { unsafe place }
}

/// As `forkInPlace`, for a child that installs a filter with a listener and puts it into `slot`: the caller sends it over
/// `channel`, after the byte `kind` and the child's id in four bytes, for the filter may refuse the child just that.
package func forkInPlace(
    sending slot: ListenerSlot, over channel: Int32, as kind: UInt8, _ body: @escaping () -> Never
) throws(KernelError) -> Int32 {
    var context = body
    return try attempt(.fork) {
        unsafe withUnsafeMutablePointer(to: &context) { pointer in
            unsafe linux_vfork_listening(
                { context in
                    guard let context = unsafe context else { return 125 }
                    unsafe context.assumingMemoryBound(to: (() -> Never).self).pointee()
                }, pointer, slot.pointer, channel, kind)
        }
    }
}

/// As `installFilter`, for a filter that asks: the listener that the questions come to. EBUSY where a filter of the process
/// has one already. The corresponding C call is `seccomp(SECCOMP_SET_MODE_FILTER)` with `SECCOMP_FILTER_FLAG_NEW_LISTENER`.
package func installListeningFilter(_ instructions: [UInt64]) throws(KernelError) -> Int32 {
    guard let length = UInt16(exactly: instructions.count) else { throw KernelError(.seccomp, .invalid) }
    return try attempt(.seccomp) {
        unsafe instructions.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return -1 }
            return unsafe linux_seccomp_listen(base.assumingMemoryBound(to: sock_filter.self), length)
        }
    }
}

/// From here on this process, and what it executes, waits where it gives up its groups, and where it makes the interface of a tun device,
/// until the listener answers. As seccomp(2) asks it gives up privilege by exec where it has none over its user namespace. EBUSY where a
/// filter of the process has a listener already. The corresponding C call is `seccomp(SECCOMP_SET_MODE_FILTER)` with
/// `SECCOMP_FILTER_FLAG_NEW_LISTENER`.
package func gateTunnel() throws(KernelError) -> Int32 {
    do throws(KernelError) {
        return try attempt(.seccomp) { linux_gate_tunnel() }
    } catch {
        guard error.errno == .accessDenied else { throw error }
        try forbidNewPrivileges()
        return try attempt(.seccomp) { linux_gate_tunnel() }
    }
}

extension Question {
    /// Whether it is about setgroups(2).
    package var isOfGroups: Bool { linux_is_setgroups(number) != 0 }
}
