import CLinux
import CSeccomp
import Testing

@testable import SystemCallFilter

/// The tables of numbers against those of libseccomp, which has them from the kernel's own.
@Suite("Numbers of system calls")
struct NumberTests {
    @Test("Each call has the library's number", arguments: [Architecture.x86_64, .aarch64])
    func native(_ architecture: Architecture) {
        var compared = 0
        for call in callTable {
            let number = unsafe call.name.withCString {
                unsafe seccomp_syscall_resolve_name_arch(architecture.auditValue, $0)
            }
            // What the library is too young for, and what it has for another architecture, is negative.
            guard number != __NR_SCMP_ERROR, number >= 0 || call.number(on: architecture) == nil else {
                let isYoung = ["uprobe", "uretprobe"].contains(call.name)
                #expect(call.number(on: architecture).map { $0 >= 448 || isYoung } ?? true, "\(call.name)")
                continue
            }
            compared += 1
            #expect(call.number(on: architecture) == (number >= 0 ? Int(number) : nil), "\(call.name)")
        }
        #expect(compared > 350)
    }

    @Test("Each call of i386 stands at the library's number")
    func foreign() {
        let names = callsOfI386.split(separator: " ").map(String.init)
        var compared = 0
        for (number, name) in names.enumerated() {
            guard let known = Self.name(of: Int32(number)) else { continue }
            compared += 1
            #expect(known == name, "\(number)")
        }
        #expect(compared > 400)
    }

    /// SCMP_ARCH_X86 is AUDIT_ARCH_I386.
    private static func name(of number: Int32) -> String? {
        guard let text = unsafe seccomp_syscall_resolve_num_arch(0x4000_0003, number) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}
