package import JailSpec

/// One step towards the network of the jail.
package indirect enum NetworkOperation: Equatable, Sendable {
    /// Loads the rules of the network namespace, then starts what leads out of it. Both go on beside what follows.
    case provideNetwork(NetworkProvision)
    /// Opens a port of the host, by whoever launches and in the caller's network.
    case openPort(Publication)
    /// Starts whoever carries what comes at the opened ports into the jail, from which it makes its own connections.
    case publish([Publication])
    case bringUpLoopback
    /// Waits until the network that was provided leads out, and sees that its rules hold.
    case awaitNetwork(NetworkProvision)
}

extension NetworkOperation {
    package var words: OperationWords {
        switch self {
        case .openPort(let publication):
            OperationWords(
                "open_port", "listen at \(publication.outerWords)", [("port", .string(publication.outerWords))])
        case .publish(let publications): Publication.words(publications)
        case .provideNetwork(let provision): provision.words
        case .awaitNetwork(let provision): provision.waitingWords
        case .bringUpLoopback: OperationWords("bring_up_loopback", "bring up loopback")
        }
    }

    /// How it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .openPort, .bringUpLoopback, .awaitNetwork:
            .atOnce
        case .provideNetwork: .byWhatFollows("the jail waits for its routes, and asks for what the rules refuse")
        case .publish: .byWhatFollows("the publisher compares its own sockets' network with the jail's, then says so")
        }
    }
}
