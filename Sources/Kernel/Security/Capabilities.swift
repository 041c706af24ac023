import CCapability
import CLinux
package import LinuxFacts

/// The highest capability that the running kernel knows. The corresponding C function is `cap_max_bits`, minus one.
///
/// libcap takes any refusal for the end of the list while it searches, and capabilities above it would stay in every set:
/// so the kernel is asked whether it knows this one and, by EINVAL, no further one.
package func lastCapability() throws(KernelError) -> UInt8 {
    let count = cap_max_bits()
    try attempt(.prctl) { cap_get_bound(count - 1) }
    do throws(KernelError) {
        try attempt(.prctl) { cap_get_bound(count) }
    } catch {
        guard error.errno == .invalid else { throw error }
        return UInt8(clamping: count - 1)
    }
    throw KernelError(.prctl, .invalid)
}

/// Empties the bounding set but for `kept` (a mask by capability number), up to the kernel's last capability, not the
/// header's. The corresponding C function is `cap_drop_bound`.
package func dropBounding(keeping kept: UInt64) throws(KernelError) {
    for number in 0...cap_value_t(try lastCapability()) where kept >> UInt64(number) & 1 == 0 {
        try attempt(.prctl) { cap_drop_bound(number) }
    }
}

/// Sets permitted, effective and inheritable as masks. The corresponding C function is `cap_set_proc`.
package func setCapabilities(permitted: UInt64, effective: UInt64, inheritable: UInt64) throws(KernelError) {
    guard let state = unsafe cap_init() else { throw KernelError(.capset, .current) }
    defer { unsafe _ = cap_free(UnsafeMutableRawPointer(state)) }
    for (set, mask) in [(CAP_PERMITTED, permitted), (CAP_EFFECTIVE, effective), (CAP_INHERITABLE, inheritable)] {
        let values = (0..<64).filter { mask >> UInt64($0) & 1 == 1 }.map { cap_value_t($0) }
        guard !values.isEmpty else { continue }
        try attempt(.capset) { unsafe cap_set_flag(state, set, Int32(values.count), values, CAP_SET) }
    }
    try attempt(.capset) { unsafe cap_set_proc(state) }
}

/// Empties the ambient set, then raises `mask`; each must be permitted and inheritable already. The corresponding C
/// functions are `cap_reset_ambient` and `cap_set_ambient`.
package func setAmbient(_ mask: UInt64) throws(KernelError) {
    try attempt(.prctl) { cap_reset_ambient() }
    for number in 0..<64 where mask >> UInt64(number) & 1 == 1 {
        try attempt(.prctl) { cap_set_ambient(cap_value_t(number), CAP_SET) }
    }
}

/// The corresponding C function is `cap_set_secbits`.
package func setSecureBits(_ bits: SecureBits) throws(KernelError) {
    try attempt(.prctl) { cap_set_secbits(bits.rawValue) }
}

/// The name libcap has for a capability, without `cap_`; nil where it knows none. The corresponding C function is
/// `cap_to_name`.
package func libraryName(ofCapability number: UInt8) -> String? {
    guard let text = unsafe cap_to_name(cap_value_t(number)) else { return nil }
    defer { unsafe _ = cap_free(UnsafeMutableRawPointer(text)) }
    let name = unsafe String(cString: text)
    return name.utf8.starts(with: "cap_".utf8) ? String(name.dropFirst(4)) : nil
}

/// The permitted set of the calling process as a mask. The corresponding C functions are `cap_get_proc` and `cap_get_flag`.
package func permittedCapabilities() throws(KernelError) -> UInt64 {
    guard let state = unsafe cap_get_proc() else { throw KernelError(.capget, .current) }
    defer { unsafe _ = cap_free(UnsafeMutableRawPointer(state)) }
    var mask: UInt64 = 0
    for number in 0...UInt64(try lastCapability()) {
        var value = CAP_CLEAR
        guard unsafe cap_get_flag(state, cap_value_t(number), CAP_PERMITTED, &value) == 0, value == CAP_SET else {
            continue
        }
        mask |= 1 << number
    }
    return mask
}

/// Whether the calling process has this capability in its effective set.
package func hasEffectiveCapability(_ number: UInt8) throws(KernelError) -> Bool {
    guard let state = unsafe cap_get_proc() else { throw KernelError(.capget, .current) }
    defer { unsafe _ = cap_free(UnsafeMutableRawPointer(state)) }
    var value = CAP_CLEAR
    guard unsafe cap_get_flag(state, cap_value_t(number), CAP_EFFECTIVE, &value) == 0 else { return false }
    return value == CAP_SET
}
