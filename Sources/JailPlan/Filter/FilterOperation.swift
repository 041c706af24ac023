package import SystemCallFilter

/// One step towards what the command may ask of the kernel, seccomp(2).
package indirect enum FilterOperation: Equatable, Sendable {
    /// No namespaces by a filter, where there is no user namespace of the jail's own to forbid them.
    case refuseNamespaces(others: [OtherABI])
    /// Which system calls the command may make, for ever.
    case installFilter(FilterProgram)
    /// Installs filters that others have compiled, from descriptors of the caller.
    case installPrograms([Int32])
}

extension FilterOperation {
    package var words: OperationWords {
        switch self {
        case .refuseNamespaces(let others):
            OperationWords(
                "refuse_namespaces", "refuse namespaces by a filter" + others.map { ", \($0.name) calls too" }.joined())
        case .installFilter(let program): program.words
        case .installPrograms(let descriptors):
            OperationWords(
                "install_programs", "install compiled filters",
                [("descriptors", .array(descriptors.map { .integer(Int($0)) }))],
                detail: "from " + descriptors.map { "\($0)" }.joined(separator: ","))
        }
    }

    /// How it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .refuseNamespaces:
            .atOnce
        case .installFilter:
            .withTheProcess
        case .installPrograms:
            .never("what they refuse is not known, and so nothing can be asked of the kernel after them")
        }
    }
}
