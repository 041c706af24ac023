import JailPlan
import JailSpec
import Kernel

extension Applier {
    /// Before a namespace is made or joined: the port is one of the caller's network.
    mutating func openPort(_ publication: Publication) throws(Failure) {
        do throws(KernelError) {
            published.append(try publication.port.open().release())
        } catch {
            throw Self.refusal(of: publication, error)
        }
    }

    /// Why a port cannot be had, in the words of whoever asked for it.
    private static func refusal(of publication: Publication, _ error: KernelError) -> Failure {
        switch (error.call, error.errno) {
        case (.bind, .addressInUse), (.listen, .addressInUse):
            Failure(
                telling: "the port is taken",
                hint: "publish another port of the host: `ss -lntup` shows which are taken, and by whom")
        case (.bind, .accessDenied):
            Failure(
                telling: "this user may not have ports below \(firstOrdinaryPort)",
                hint: "publish a port from \(firstOrdinaryPort) on, or \(Remedy.launchAsRoot)")
        case (.bind, .addressNotAvailable):
            Failure(
                telling: "no interface of this host has the address",
                hint: "publish at an address of this host, or at 0.0.0.0 or [::] for all of them")
        default: Failure(error)
        }
    }

    /// ip_unprivileged_port_start of ip(7)'s sysctls.
    private static var firstOrdinaryPort: Int {
        do throws(KernelError) {
            let text = try readText("/proc/sys/net/ipv4/ip_unprivileged_port_start")
            return lines(Array(text.utf8)).first.flatMap { Int($0) } ?? 1024
        } catch {
            return 1024
        }
    }

    mutating func checkPort(_ publication: Publication) throws(Failure) {
        let socket = published[published.count - 1]
        let found = try failing { () throws(KernelError) in try publication.port.isReceived(by: socket) }
        try hold(found, "socket of \(publication)", "receives there", "receives elsewhere, or not at all")
    }

    /// Starts whoever carries what comes at the opened ports into the jail.
    mutating func publish(_ publications: [Publication], of plan: Plan) throws(Failure) {
        let proc = try proc()
        let (network, users) = try failing { () throws(KernelError) in
            // The first process stands still, or waits for this: its id is no other's.
            let network = try open("\(mapped)/ns/net", at: proc.descriptor, .read).release()
            let users = plan.makes(.user) ? try open("\(mapped)/ns/user", at: proc.descriptor, .read).release() : -1
            return (network, users)
        }
        let (ready, told) = try failing(makePipe)
        let doors = zip(publications, published).map { publication, socket in
            Publisher.Door(
                socket: socket, jailPort: publication.jailPort, isDatagram: publication.transport == .udp,
                isIPv6: publication.outerAddress.isIPv6)
        }
        let launcher = currentProcess()
        let given = published + [network, told] + (users >= 0 ? [users] : [])
        let hostProc = proc.descriptor
        var helper = try HelperProcess.start(
            "publisher", passing: given + [hostProc], tableSize: { descriptorTableSize }
        ) { () throws(KernelError) in
            if users >= 0 {
                try Kernel.join(users, .user)
                closeDescriptor(users)
            }
            try Kernel.join(network, .net)
            try Publisher.live(doors, of: launcher, in: network, hostProc, telling: told)
        }
        helper.step = step
        for number in given { closeDescriptor(number) }
        published = []
        defer { closeDescriptor(ready) }
        try hear(&helper, ready)
        helpers.append(helper)
    }

    /// Only its word counts: whoever ends closes its end, too.
    func hear(_ helper: inout HelperProcess, _ ready: Int32) throws(Failure) {
        try helper.wait(until: ready, noticing: signals)
        let word = try failing { () throws(KernelError) in try readSome(ready, limit: 1) ?? [] }
        if word.isEmpty { throw try helper.silence(noticing: signals) }
    }
}

extension Publication {
    var port: Port {
        Port(address: outerAddress.bytes, number: hostPort, isDatagram: transport == .udp)
    }
}
