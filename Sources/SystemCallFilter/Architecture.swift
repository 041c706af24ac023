/// A machine whose system calls can be filtered.
package enum Architecture: Sendable {
    case x86_64, aarch64

    /// The one that this program was built for.
    package static var native: Architecture {
        #if arch(x86_64)
            .x86_64
        #elseif arch(arm64)
            .aarch64
        #else
            #error("no system-call table for this architecture")
        #endif
    }

    /// `seccomp_data.arch` of its own calls: AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64.
    package var auditValue: UInt32 { isX86 ? 0xC000_003E : 0xC000_00B7 }

    /// Calls of x32 come under the architecture of x86-64, with this bit in the number.
    package static let x32Bit: UInt32 = 0x4000_0000

    var isX86: Bool { if case .x86_64 = self { true } else { false } }

    /// As libseccomp and as Go call it.
    var names: (library: String, go: String) {
        isX86 ? ("SCMP_ARCH_X86_64", "amd64") : ("SCMP_ARCH_AARCH64", "arm64")
    }

    /// The ABI that a foreign `seccomp_data.arch` stands for, in words.
    package static func name(auditValue: UInt32) -> String {
        switch auditValue {
        case 0xC000_003E: "x86-64"
        case 0x4000_0003: "i386"
        case 0xC000_00B7: "aarch64"
        case 0x4000_0028: "arm"
        default: "0x" + String(auditValue, radix: 16)
        }
    }
}
