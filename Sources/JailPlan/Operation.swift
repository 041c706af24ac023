/// One thing that is done to the kernel on the way from the launcher to the running command, by the noun that it is about.
///
/// Payloads are resolved: no name is looked up, no path expanded and no default chosen after the plan is made. The same
/// value is applied, printed, compared in tests and used to word a failure. Only `Planner` decides the order.
///
/// Each noun is an indirect enumeration: steps are handed around by the hundred, and a copy is a reference, not all that the
/// largest of them holds.
package enum Operation: Equatable, Sendable {
    case tree(TreeOperation)
    case identity(IdentityOperation)
    case process(ProcessOperation)
    case limits(LimitOperation)
    case filter(FilterOperation)
    case landlock(LandlockOperation)
    case network(NetworkOperation)
    case service(ServiceOperation)

    /// The name of the operation as JSON has it.
    package var operationName: String { words.name }

    /// What it says of itself: an operation without words does not compile.
    package var words: OperationWords {
        switch self {
        case .tree(let operation): operation.words
        case .identity(let operation): operation.words
        case .process(let operation): operation.words
        case .limits(let operation): operation.words
        case .filter(let operation): operation.words
        case .landlock(let operation): operation.words
        case .network(let operation): operation.words
        case .service(let operation): operation.words
        }
    }

    /// How it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .tree(let operation): operation.verification
        case .identity(let operation): operation.verification
        case .process(let operation): operation.verification
        case .limits(let operation): operation.verification
        case .filter(let operation): operation.verification
        case .landlock(let operation): operation.verification
        case .network(let operation): operation.verification
        case .service(let operation): operation.verification
        }
    }

    /// Whether it shows, or belongs to, the network namespace that it is done in.
    package var belongsToNetwork: Bool {
        switch self {
        case .network(.bringUpLoopback), .network(.awaitNetwork), .tree(.fill(_, .noticeSocket, _)): true
        case .tree(.fill(_, .fileSystem(let fileSystem), _)): fileSystem.type == "sysfs"
        default: false
        }
    }
}
