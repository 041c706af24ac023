import CLinux

/// So many random bytes, at most 256, that nobody can guess. The corresponding C function is `getrandom`.
package func randomBytes(_ count: Int) throws(KernelError) -> [UInt8] {
    let bytes = try unsafe filled(.getrandom, upTo: count) { unsafe getrandom($0, $1, 0) }
    guard bytes.count == count else { throw KernelError(.getrandom, .again) }
    return bytes
}
