/// The filter of a command that is watched, seccomp_unotify(2): calls that name files or addresses wait until the observer
/// has seen them, and are then made.
package enum ObservedCalls {
    private static let load = UInt64(0x20)
    private static let jumpEqual = UInt64(0x15)
    private static let jumpSet = UInt64(0x45)
    private static let answer = UInt64(0x06)
    /// SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ERRNO with ENOSYS.
    private static let allow = UInt64(0x7fff_0000)
    private static let ask = UInt64(0x7fc0_0000)
    private static let missing = UInt64(0x0005_0026)

    /// Nothing that a ring does can be seen, and the flags of clone3(2) are in memory: programs do without both.
    private static let answered = ["io_uring_setup", "clone3"]
    /// CLONE_NEWNS, CLONE_NEWCGROUP and those up to CLONE_NEWNET: other clones make processes and threads.
    private static let worlds = UInt64(0x7E02_0000)

    /// `struct sock_filter` as one number each. io_uring_setup(2) and clone3(2) are answered with ENOSYS; clone(2) is asked about
    /// where it makes namespaces, sendto(2) and recvfrom(2) where they have an address; what is called through another
    /// architecture is allowed unseen.
    package static func program(for names: [String], on architecture: Architecture = .native) -> [UInt64] {
        let calls = names.compactMap { name in number(of: name, on: architecture).map { (number: $0, name: name) } }
        // seccomp_data: the number at 0, the architecture at 4.
        var code = [
            instruction(load, 4), instruction(jumpEqual, UInt64(architecture.auditValue), yes: 1),
            instruction(answer, allow), instruction(load, 0),
        ]
        for call in calls.sorted(by: { $0.number < $1.number }) {
            let verdict = verdict(on: call.name)
            code += [instruction(jumpEqual, UInt64(call.number), no: UInt64(verdict.count))] + verdict
        }
        for name in answered {
            guard let number = number(of: name, on: architecture) else { continue }
            code += [instruction(jumpEqual, UInt64(number), no: 1), instruction(answer, missing)]
        }
        return code + [instruction(answer, allow)]
    }

    private static func verdict(on name: String) -> [UInt64] {
        switch name {
        case "clone":
            [
                instruction(load, argument(0)), instruction(jumpSet, worlds, no: 1), instruction(answer, ask),
                instruction(answer, allow),
            ]
        // Both have an address there, or none.
        case "sendto", "recvfrom":
            [
                instruction(load, argument(4)), instruction(jumpEqual, 0, no: 2),
                instruction(load, argument(4) + 4), instruction(jumpEqual, 0, yes: 1), instruction(answer, ask),
                instruction(answer, allow),
            ]
        default: [instruction(answer, ask)]
        }
    }

    /// Where the lower half of an argument is in seccomp_data, the upper one after it.
    private static func argument(_ index: UInt64) -> UInt64 { 16 + 8 * index }

    private static func number(of name: String, on architecture: Architecture) -> Int? {
        CallNames.index(of: name).flatMap { callTable[$0].number(on: architecture) }
    }

    private static func instruction(_ code: UInt64, _ operand: UInt64, yes: UInt64 = 0, no: UInt64 = 0) -> UInt64 {
        code | yes << 16 | no << 24 | operand << 32
    }
}
