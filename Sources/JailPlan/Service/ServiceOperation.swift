/// One step towards what a service manager has for the command.
package indirect enum ServiceOperation: Equatable, Sendable {
    /// Opens the way to the service manager's notify socket, which the launcher keeps.
    case connectManager(String)
    /// Reads the credentials in a directory of the host.
    case readCredentials(String)
}

extension ServiceOperation {
    package var words: OperationWords {
        switch self {
        case .connectManager(let socket):
            OperationWords(
                "connect_manager", "connect to the service manager at \(socket)", [("socket", .string(socket))])
        case .readCredentials(let path):
            OperationWords("read_credentials", "read the credentials in \(path)", [("source", .string(path))])
        }
    }

    /// How it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .connectManager: .byWhatFollows("it is a descriptor, which is there or is not")
        case .readCredentials: .byWhatFollows("they are written again as they were read")
        }
    }
}
