import CLinux

/// What came of a call that was tried.
package enum TriedCall: Equatable, Sendable {
    /// It returned, with this errno or 0.
    case answered(Errno)
    /// The process that made it was killed.
    case killed
    /// There was no process to make it.
    case untried
}

/// Makes a call that must do no harm in a process of its own, in new user, mount and UTS namespaces, of which it has all capabilities,
/// where it may make these and `inOwnNamespaces` asks for them. The corresponding C functions are `clone` and `syscall`.
package func tryCall(_ number: Int, _ arguments: [Int], inOwnNamespaces: Bool = true) -> TriedCall {
    let padded = Array((arguments + [0, 0, 0, 0, 0, 0]).prefix(6))
    let namespaces = inOwnNamespaces ? UInt(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) : 0
    let found = unsafe padded.withUnsafeBufferPointer { pointer -> Int32 in
        guard let base = pointer.baseAddress else { return -2 }
        return unsafe linux_try_call(number, base, namespaces)
    }
    switch found {
    case -1: return .killed
    case ..<0: return .untried
    default: return .answered(Errno(rawValue: found))
    }
}
