import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// A network that leads out, while it is brought up beside the jail's first process, which goes on with the tree.
final class NetworkInTheMaking {
    let step: Int
    /// The step at which those inside wait for it.
    let awaited: Int
    let provision: NetworkProvision
    /// The jail's namespaces; −1 for the users where it has none of its own.
    let network: Int32
    let users: Int32
    /// The program that leads out; nil where an interface does.
    let stack: HostProgram?
    let nft: HostProgram
    /// nft(8), which loads the rules.
    var loader: HelperProcess
    /// Where a stack that was started beside it is held back; −1 where it starts after it.
    var gate: Int32 = -1

    init(
        step: Int, awaited: Int, provision: NetworkProvision, network: Int32, users: Int32, stack: HostProgram?,
        nft: HostProgram, loader: HelperProcess
    ) {
        (self.step, self.awaited, self.provision) = (step, awaited, provision)
        (self.network, self.users, self.stack, self.nft, self.loader) = (network, users, stack, nft, loader)
    }
}

extension HelperOrder {
    /// nft(8) in a jail's namespaces, over whose network it has a capability; `users` is −1 where the jail has none of its own.
    static func nft(_ program: HostProgram, _ words: [String], network: Int32, users: Int32) -> HelperOrder {
        var order = HelperOrder(program: program, arguments: ["nft"] + words)
        order.joining = (users >= 0 ? [(users, .user)] : []) + [(network, .net)]
        order.keeping = 1 << UInt64(Capability.net_admin.rawValue)
        return order
    }
}

extension Applier {
    /// Begins: the rules come first, and what leads out after them, so that there is no moment in which it leads anywhere else. Only the
    /// start of pasta, up to its interface, is beside them.
    mutating func provideNetwork(_ provision: NetworkProvision, of plan: Plan) throws(Failure) {
        let proc = try proc()
        let stack: HostProgram? =
            if case .stack(let stack) = provision.way {
                try HostProgram.find(stack.rawValue, call: .execve)
            } else {
                nil
            }
        let nft = try HostProgram.find(HostNetwork.nft, call: .execve)
        let (network, users, rules) = try failing { () throws(KernelError) in
            // The first process stands still, or waits for this: its id is no other's.
            let network = try open("\(mapped)/ns/net", at: proc.descriptor, .read).release()
            let users = plan.makes(.user) ? try open("\(mapped)/ns/user", at: proc.descriptor, .read).release() : -1
            return (network, users, try makeMemoryFile("rules", Array(provision.rules.text.utf8)).release())
        }
        var order = HelperOrder.nft(nft, ["-f", "/proc/self/fd/\(rules)"], network: network, users: users)
        order.passing = [rules]
        let loader = try HelperProcess.start(order) { descriptorTableSize }
        closeDescriptor(rules)
        counters = NetworkCounters(
            network: network, users: users, nft: nft, servers: provision.names?.servers ?? provision.rules.resolvers)
        let awaited = plan.steps.firstIndex { if case .network(.awaitNetwork) = $0.operation { true } else { false } }
        let making = NetworkInTheMaking(
            step: step, awaited: awaited ?? -1, provision: provision, network: network, users: users, stack: stack,
            nft: nft, loader: loader)
        if case .stack(.pasta) = provision.way { try startHeldBack(making) }
        inTheMaking = making
    }

    /// The launcher's part once those inside go on: waits for the rules, starts what leads out, and says so.
    mutating func completeNetwork(telling channel: Int32) throws(Failure) {
        guard let making = inTheMaking else { return }
        inTheMaking = nil
        try located(making.step) { () throws(Failure) in
            guard try making.loader.finish(noticing: signals) == .exited(0) else {
                throw Failure(.helperFailed, text: "nft: \(making.loader.firstWords)")
            }
            if let names = making.provision.names { try startResolver(names, making) }
            switch making.provision.way {
            case .stack(.pasta): break
            case .stack(.slirp4netns): try startAndHear(making)
            case .link(let link): try make(link, making)
            }
        }
        if making.gate >= 0 { gate = TunnelGate(making.gate) }
        laterAddresses = try located(making.step) { () throws(Failure) in
            try LaterAddresses(making, tableSize: descriptorTableSize)
        }
        try failing { () throws(KernelError) in
            do throws(KernelError) {
                try send(Message.done(step: making.awaited).bytes, over: channel)
            } catch {
                // Nobody is left inside, and has said why.
                guard error.errno.meansPeerGone else { throw error }
            }
        }
    }

    /// pasta, as far as `TunnelGate` lets it, which the supervisor opens. What it gets before it listens stays in its queue.
    private mutating func startHeldBack(_ making: NetworkInTheMaking) throws(Failure) {
        let (ours, theirs) = try failing(makeChannel)
        making.gate = ours
        defer { closeDescriptor(theirs) }
        try start(.pasta, making, ready: -1, gate: theirs)
    }

    /// slirp4netns would lose what it gets before it listens.
    private mutating func startAndHear(_ making: NetworkInTheMaking) throws(Failure) {
        let (ready, told) = try failing(makePipe)
        defer { closeDescriptor(ready) }
        try start(.slirp4netns, making, ready: told, gate: nil)
        closeDescriptor(told)
        try hear(&helpers[helpers.count - 1], ready)
    }

    private mutating func start(
        _ stack: HostNetwork.Stack, _ making: NetworkInTheMaking, ready: Int32, gate: Int32?
    ) throws(Failure) {
        guard let program = making.stack else { return }
        let users = making.users >= 0 ? making.users : nil
        var order = HelperOrder(
            program: program,
            arguments: making.provision.arguments(of: stack, network: making.network, users: users, ready: ready))
        order.passing = [making.network, ready, making.users].filter { $0 >= 0 }
        order.gate = gate
        var helper = try HelperProcess.start(order) { descriptorTableSize }
        helper.step = making.step
        helpers.append(helper)
    }
}
