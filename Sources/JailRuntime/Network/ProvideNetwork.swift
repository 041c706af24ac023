import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// What a network that leads out is made by, from before the jail's namespaces are there until it is complete. It is brought up beside the
/// jail's first process, which goes on with the tree.
final class NetworkInTheMaking {
    let step: Int
    /// The step at which those inside wait for it.
    let awaited: Int
    let provision: NetworkProvision
    /// The program that leads out; nil where an interface does.
    let stack: HostProgram?
    let nft: HostProgram
    /// nft(8), which loads the rules.
    var loader: HelperProcess
    /// Where that is given the namespaces, in which it then starts.
    let start: Int32
    /// The jail's namespaces, once they are there; −1 for the users where it has none of its own.
    var (network, users): (Int32, Int32) = (-1, -1)
    /// The channel to a stack that was started already, and the numbers under which it has the namespaces.
    var held: (channel: Int32, numbers: [Int32])?
    /// What holds that back.
    var gate: TunnelGate?

    init(
        step: Int, awaited: Int, provision: NetworkProvision, stack: HostProgram?, nft: HostProgram,
        loader: HelperProcess, start: Int32
    ) {
        (self.step, self.awaited, self.provision) = (step, awaited, provision)
        (self.stack, self.nft, self.loader, self.start) = (stack, nft, loader, start)
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
    /// Before the jail's namespaces are there: starts pasta and the process that will be nft(8), which wait for them. That takes as long as
    /// to make them.
    mutating func startForNetwork(_ plan: Plan) throws(Failure) {
        guard let index = plan.providing, let provision = plan.provision else { return }
        let awaited = plan.steps.firstIndex { if case .network(.awaitNetwork) = $0.operation { true } else { false } }
        try located(index) { () throws(Failure) in
            let stack: HostProgram? =
                if case .stack(let stack) = provision.way {
                    try HostProgram.find(stack.rawValue, call: .execve).forThisProcessor
                } else {
                    nil
                }
            let makesUsers = plan.makes(.user)
            // First of all: it takes longest.
            let held: (Int32, [Int32])? =
                if let stack, case .stack(.pasta) = provision.way {
                    try startHeldBack(stack, provision, step: index, makesUsers: makesUsers)
                } else {
                    nil
                }
            let nft = try HostProgram.find(HostNetwork.nft, call: .execve)
            let rules = try failing { () throws(KernelError) in
                try makeMemoryFile("rules", Array(provision.rules.text.utf8)).release()
            }
            defer { closeDescriptor(rules) }
            let (start, waiting) = try failing(makeChannel)
            defer { closeDescriptor(waiting) }
            var order = HelperOrder.nft(nft, ["-f", "/proc/self/fd/\(rules)"], network: -1, users: -1)
            order.joining = []
            order.awaiting = AwaitedNamespaces(channel: waiting, kinds: makesUsers ? [.user, .net] : [.net])
            order.passing = [rules]
            let loader = try HelperProcess.start(order) { descriptorTableSize }
            let making = NetworkInTheMaking(
                step: index, awaited: awaited ?? -1, provision: provision, stack: stack, nft: nft, loader: loader,
                start: start)
            making.held = held
            inTheMaking = making
        }
    }

    /// The namespaces are there: the rules are loaded, and what leads out comes after them, so that there is no moment in which it leads
    /// anywhere else. Only the start of pasta, up to its interface, is beside them.
    mutating func provideNetwork(of plan: Plan) throws(Failure) {
        guard let making = inTheMaking else { throw Failure(.outsideGone) }
        let proc = try proc()
        try failing { () throws(KernelError) in
            // The first process stands still, or waits for this: its id is no other's.
            making.network = try open("\(mapped)/ns/net", at: proc.descriptor, .read).release()
            if plan.makes(.user) { making.users = try open("\(mapped)/ns/user", at: proc.descriptor, .read).release() }
            try AwaitedNamespaces.send([making.users, making.network].filter { $0 >= 0 }, over: making.start)
        }
        closeDescriptor(making.start)
        counters = NetworkCounters(
            network: making.network, users: making.users, nft: making.nft,
            servers: making.provision.names?.servers ?? making.provision.rules.resolvers)
        if let held = making.held {
            let namespaces = [making.network, making.users].filter { $0 >= 0 }
            making.gate = TunnelGate(
                held.channel, giving: zip(namespaces, held.numbers).map { (descriptor: $0, number: $1) })
        }
    }

    /// The launcher's part once those inside go on: waits for the rules, starts what leads out, and says so.
    mutating func completeNetwork(telling channel: Int32) throws(Failure) {
        guard let making = inTheMaking else { return }
        inTheMaking = nil
        try located(making.step) { () throws(Failure) in
            guard try making.loader.finish(noticing: signals, heeding: &making.gate) == .exited(0) else {
                throw Failure(.helperFailed, text: "nft: \(making.loader.firstWords)")
            }
            gate = making.gate
            try failing { () throws(KernelError) in try gate?.allow() }
            if let names = making.provision.names { try startResolver(names, making) }
            switch making.provision.way {
            case .stack(.pasta): break
            case .stack(.slirp4netns): try startAndHear(making)
            case .link(let link): try make(link, making)
            }
        }
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

    /// pasta, as far as `TunnelGate` lets it. What it gets before it listens stays in its queue.
    private mutating func startHeldBack(
        _ program: HostProgram, _ provision: NetworkProvision, step: Int, makesUsers: Bool
    ) throws(Failure) -> (Int32, [Int32]) {
        let (ours, theirs) = try failing(makeChannel)
        defer { closeDescriptor(theirs) }
        let numbers = try failing { () throws(KernelError) in
            var numbers: [Int32] = []
            // Whatever they are, until the namespaces take their place.
            for _ in 0..<(makesUsers ? 2 : 1) { numbers.append(try duplicate(program.descriptor, above: 3)) }
            return numbers
        }
        defer { for number in numbers { closeDescriptor(number) } }
        var order = HelperOrder(
            program: program,
            arguments: provision.arguments(
                of: .pasta, network: numbers[0], users: makesUsers ? numbers[1] : nil, ready: -1))
        order.passing = numbers
        order.gate = (theirs, numbers)
        try start(order, step: step)
        return (ours, numbers)
    }

    /// slirp4netns would lose what it gets before it listens.
    private mutating func startAndHear(_ making: NetworkInTheMaking) throws(Failure) {
        guard let program = making.stack else { return }
        let (ready, told) = try failing(makePipe)
        defer { closeDescriptor(ready) }
        let users = making.users >= 0 ? making.users : nil
        var order = HelperOrder(
            program: program,
            arguments: making.provision.arguments(
                of: .slirp4netns, network: making.network, users: users, ready: told))
        order.passing = [making.network, told, making.users].filter { $0 >= 0 }
        try start(order, step: making.step)
        closeDescriptor(told)
        try hear(&helpers[helpers.count - 1], ready)
    }

    private mutating func start(_ order: HelperOrder, step: Int) throws(Failure) {
        var helper = try HelperProcess.start(order) { descriptorTableSize }
        helper.step = step
        helpers.append(helper)
    }
}
