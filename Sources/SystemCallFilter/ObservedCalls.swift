/// The filter of a command that is watched, seccomp_unotify(2): calls that name files or addresses wait until the observer
/// has seen them, and are then made.
package enum ObservedCalls {
    private static let load = UInt64(0x20)
    private static let jumpEqual = UInt64(0x15)
    private static let answer = UInt64(0x06)
    /// SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ERRNO with ENOSYS.
    private static let allow = UInt64(0x7fff_0000)
    private static let ask = UInt64(0x7fc0_0000)
    private static let missing = UInt64(0x0005_0026)

    /// `struct sock_filter` as one number each. io_uring_setup(2) is answered with ENOSYS, as nothing that a ring does can be
    /// seen, and programs then do without; what is called through another architecture is allowed unseen.
    package static func program(for names: [String], on architecture: Architecture = .native) -> [UInt64] {
        let numbers = names.compactMap { number(of: $0, on: architecture) }.sorted()
        // seccomp_data: the number at 0, the architecture at 4.
        var code = [
            instruction(load, 4), instruction(jumpEqual, UInt64(architecture.auditValue), yes: 1),
            instruction(answer, allow), instruction(load, 0),
        ]
        for number in numbers {
            code += [instruction(jumpEqual, UInt64(number), no: 1), instruction(answer, ask)]
        }
        if let ring = number(of: "io_uring_setup", on: architecture) {
            code += [instruction(jumpEqual, UInt64(ring), no: 1), instruction(answer, missing)]
        }
        return code + [instruction(answer, allow)]
    }

    private static func number(of name: String, on architecture: Architecture) -> Int? {
        CallNames.index(of: name).flatMap { callTable[$0].number(on: architecture) }
    }

    private static func instruction(_ code: UInt64, _ operand: UInt64, yes: UInt64 = 0, no: UInt64 = 0) -> UInt64 {
        code | yes << 16 | no << 24 | operand << 32
    }
}
