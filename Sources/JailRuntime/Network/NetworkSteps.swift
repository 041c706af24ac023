import JailPlan

/// How the steps towards the network are done, and how each is read back.
extension Applier {
    mutating func apply(_ operation: NetworkOperation, of plan: Plan) throws(Failure) {
        switch operation {
        case .openPort(let publication): try openPort(publication)
        case .publish(let publications): try publish(publications, of: plan)
        case .provideNetwork: try provideNetwork(of: plan)
        case .awaitNetwork(let provision): try awaitNetwork(provision)
        case .bringUpLoopback: try bringUpLoopback()
        }
    }

    mutating func check(_ operation: NetworkOperation, in plan: Plan) throws(Failure) {
        switch operation {
        case .openPort(let publication): try checkPort(publication)
        case .awaitNetwork(let provision): try checkNetwork(provision)
        case .bringUpLoopback: try checkInterfaces()
        case .provideNetwork, .publish:
            break
        }
    }
}
