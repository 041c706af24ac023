import SpecFile

/// The words of OCI's `seccomp` block, which are those of libseccomp.
extension Form {
    /// An errno without its number; the thread of SCMP_ACT_KILL is the process here, which is the stricter.
    static func engineAction(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> SeccompPolicy.Action {
        let word = try text(node, decoding)
        switch word {
        case "SCMP_ACT_ALLOW": return .allow
        case "SCMP_ACT_ERRNO": return .errno(1)
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS": return .kill
        case "SCMP_ACT_LOG": return .log
        case "SCMP_ACT_TRAP": return .trap
        case "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE":
            throw fault(
                "\(word) is not implemented", node, hint: "SCMP_ACT_LOG tells of a call, SCMP_ACT_ERRNO refuses it")
        default:
            throw unknown(
                word,
                of: [
                    "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD",
                    "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG", "SCMP_ACT_TRAP",
                ], node)
        }
    }

    /// The comparison; nil for the masked one.
    static func engineOperator(
        _ node: Node, _ decoding: Decoding
    ) throws(Diagnostic) -> SeccompPolicy.Argument.Operator? {
        let word = try text(node, decoding)
        switch word {
        case "SCMP_CMP_EQ": return .equal
        case "SCMP_CMP_NE": return .notEqual
        case "SCMP_CMP_LT": return .less
        case "SCMP_CMP_LE": return .lessOrEqual
        case "SCMP_CMP_GT": return .greater
        case "SCMP_CMP_GE": return .greaterOrEqual
        case "SCMP_CMP_MASKED_EQ": return nil
        default:
            let known = ["EQ", "NE", "LT", "LE", "GT", "GE", "MASKED_EQ"].map { "SCMP_CMP_" + $0 }
            throw unknown(word, of: known, node)
        }
    }

    static func errnoName(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Int32 {
        let word = try text(node, decoding)
        guard let number = ErrorNumber.named(word) else { throw unknown(word, of: ErrorNumber.names, node) }
        return number
    }

    static func engineCapability(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Capability {
        let word = try text(node, decoding)
        for capability in Capability.allCases where word.utf8.count == capability.name.utf8.count + 4 {
            let isSame = zip(word.utf8, "CAP_".utf8).allSatisfy { $0 == $1 }
            let bare = zip(word.utf8.dropFirst(4), capability.name.utf8)
            // The spec's names are in lower case.
            if isSame, bare.allSatisfy({ $0 == ($1 == UInt8(ascii: "_") ? $1 : $1 & ~0x20) }) { return capability }
        }
        throw unknown(word, of: Capability.allCases.map { "CAP_" + $0.name.uppercased() }, node)
    }

    /// SCMP_ARCH_*, seccomp_arch_add(3).
    static func architecture(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let word = try text(node, decoding)
        guard architectures.contains(word) else { throw unknown(word, of: architectures, node) }
        return word
    }

    private static let architectures = [
        "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",
        "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
        "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
        "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
        "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    ]

    static func engineArchitecture(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let word = try text(node, decoding)
        guard engineArchitectures.contains(word) else { throw unknown(word, of: engineArchitectures, node) }
        return word
    }

    /// As Go and the container engines call them.
    private static let engineArchitectures = [
        "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mips64n32", "mipsel", "mipsel64",
        "mipsel64n32", "mipsle", "ppc", "ppc64", "ppc64le", "riscv64", "s390", "s390x", "x32", "x86",
    ]

    static func kernel(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> KernelVersion {
        let word = try text(node, decoding)
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = canonicalNumber(parts[0]), let minor = canonicalNumber(parts[1]),
            major < 1000, minor < 1000
        else { throw fault("\(quoted(word)) is not the version of a kernel", node, hint: "such as \"4.8\"") }
        return KernelVersion(major: Int(major), minor: Int(minor))
    }
}
