/// What `seccomp_data.arch` says of a call's ABI: AUDIT_ARCH_… of linux/audit.h, whose macros Swift does not read.
package enum AuditArchitecture {
    package static let x86_64: UInt32 = 0xC000_003E
    package static let i386: UInt32 = 0x4000_0003
    package static let aarch64: UInt32 = 0xC000_00B7
    package static let arm: UInt32 = 0x4000_0028

    /// Calls of x32 come under the architecture of x86-64, with this bit in the number.
    package static let x32Bit: UInt32 = 0x4000_0000
}
