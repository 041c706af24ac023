import LinuxFacts

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
    package var auditValue: UInt32 { isX86 ? AuditArchitecture.x86_64 : AuditArchitecture.aarch64 }

    var isX86: Bool { if case .x86_64 = self { true } else { false } }

    /// As libseccomp and as Go call it.
    package var names: (library: String, go: String) {
        isX86 ? ("SCMP_ARCH_X86_64", "amd64") : ("SCMP_ARCH_AARCH64", "arm64")
    }

    /// The ABI that a foreign `seccomp_data.arch` stands for, in words.
    package static func name(auditValue: UInt32) -> String {
        switch auditValue {
        case AuditArchitecture.x86_64: "x86-64"
        case AuditArchitecture.i386: "i386"
        case AuditArchitecture.aarch64: "aarch64"
        case AuditArchitecture.arm: "arm"
        default: "0x" + String(auditValue, radix: 16)
        }
    }
}
