/// A call that the kernel refused: which, why, and for which path where there was one.
package struct KernelError: Error, Sendable {
    package let call: Call
    package let errno: Errno
    package let path: String

    package init(_ call: Call, _ errno: Errno, path: String = "") {
        self.call = call
        self.errno = errno
        self.path = path
    }
}

/// Runs one call and turns its −1 into an error; errno is read before anything else runs.
@inline(__always) @discardableResult
func attempt<Result: SignedInteger>(
    _ call: Call, _ path: @autoclosure () -> String = "", _ body: () -> Result
) throws(KernelError) -> Result {
    let result = body()
    guard result >= 0 else {
        let errno = Errno.current
        throw KernelError(call, errno, path: path())
    }
    return result
}

/// As `attempt`, made again where a signal interrupted it.
@inline(__always) @discardableResult
func persist<Result: SignedInteger>(
    _ call: Call, _ path: @autoclosure () -> String = "", _ body: () -> Result
) throws(KernelError) -> Result {
    while true {
        do throws(KernelError) {
            return try attempt(call, path(), body)
        } catch {
            guard error.errno == .interrupted else { throw error }
        }
    }
}

/// What one call leaves in a buffer of at most `limit` bytes; the call returns how many, or −1. The buffer is not cleared
/// first: that would cost more than most of the calls.
@inline(__always)
func filled(
    _ call: Call, _ path: @autoclosure () -> String = "", upTo limit: Int,
    _ body: (UnsafeMutablePointer<UInt8>, Int) -> Int
) throws(KernelError) -> [UInt8] {
    var failure: Errno?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
        guard let base = buffer.baseAddress else { return }
        while true {
            let result = unsafe body(base, limit)
            if result >= 0 {
                count = result
                return
            }
            let errno = Errno.current
            if errno == .interrupted { continue }
            failure = errno
            return
        }
    }
    if let failure { throw KernelError(call, failure, path: path()) }
    return bytes
}
