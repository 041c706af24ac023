import JailPlan

/// How the steps towards the service manager are done, and how each is read back.
extension Applier {
    mutating func apply(_ operation: ServiceOperation, of plan: Plan) throws(Failure) {
        switch operation {
        case .connectManager(let socket): try connectManager(socket)
        case .readCredentials(let path): try readCredentials(path)
        }
    }

    mutating func check(_ operation: ServiceOperation, in plan: Plan) throws(Failure) {
        switch operation {
        // By what follows, or never: `Operation.verification` says why.
        case .connectManager: break
        case .readCredentials: break
        }
    }
}
