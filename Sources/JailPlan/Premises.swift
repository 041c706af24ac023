import JailSpec

/// What a plan is made from: what is wanted, and where. Shared, for either is some thousand bytes to copy.
final class Premises: Sendable {
    let spec: Spec
    let host: Host

    init(_ spec: Spec, _ host: Host) {
        self.spec = spec
        self.host = host
    }
}
