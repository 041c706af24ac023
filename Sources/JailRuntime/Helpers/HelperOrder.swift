import Kernel

/// What a helper is started with.
struct HelperOrder {
    let program: HostProgram
    /// All words, the program's own name first.
    var arguments: [String]
    var environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    /// Descriptors that it gets, under their own numbers.
    var passing: [Int32] = []
    /// Where it lives, in place of the host; it then joins nothing and keeps no capability.
    var room: HelperRoom?
    /// Open namespace files that it enters first, in this order.
    var joining: [(descriptor: Int32, kinds: NamespaceFlags)] = []
    /// What its standard input is in place of nothing.
    var input: Int32?
    /// Where its standard output goes in place of here.
    var output: Int32?
    /// Capabilities that it has in the namespaces that it enters, as a mask; all others are dropped. 0 for what exec leaves.
    var keeping: UInt64 = 0
    /// How many bytes a file that it writes to may have; nil for no limit.
    var mostInFile: UInt64?
    /// A channel by which the namespaces come that are not there yet, and are entered after those, in this order.
    var awaiting: AwaitedNamespaces?
    /// Its end of a channel by which `TunnelGate` is opened, and the numbers that it fills; nil for a program that nothing holds back.
    var gate: (channel: Int32, numbers: [Int32])?
}
