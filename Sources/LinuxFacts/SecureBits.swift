/// The securebits of capabilities(7), by the kernel's numbers (linux/securebits.h).
package struct SecureBits: Equatable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// As a process has them that nobody has changed.
    package static let none = SecureBits(rawValue: 0)
    /// Uid 0 gains nothing at exec.
    package static let noRoot = SecureBits(rawValue: 1 << 0)
    /// A change of user ids leaves the capability sets alone.
    package static let noSetuidFixup = SecureBits(rawValue: 1 << 2)
    /// Uid 0 gains nothing at exec, no change of ids does, and none of it can be taken back. SECBIT_KEEP_CAPS is left to the
    /// command: it keeps permitted capabilities through a change of ids, of which there are none, and programs such as
    /// ping(8) fail where they may not set it.
    package static let pureCapabilities = SecureBits(rawValue: 0x0f)

    /// The names of the bits in lower case, in their order.
    package var names: [String] {
        let all = [
            "noroot", "noroot_locked", "no_setuid_fixup", "no_setuid_fixup_locked", "keep_caps", "keep_caps_locked",
            "no_cap_ambient_raise", "no_cap_ambient_raise_locked",
        ]
        return all.indices.filter { rawValue >> UInt32($0) & 1 == 1 }.map { all[$0] }
    }
}
