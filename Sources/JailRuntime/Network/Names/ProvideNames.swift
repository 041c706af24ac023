import JailPlan
import JailSpec
import Kernel
import LinuxFacts

extension Applier {
    /// Starts the jail's resolver, whose sets are in the rules by now, and waits until it can be asked.
    mutating func startResolver(_ service: NameService, _ making: NetworkInTheMaking) throws(Failure) {
        let refused = try failing { () throws(KernelError) in try makeMemoryFile("names", []).release() }
        counters?.names = refused
        let (ready, told) = try failing(makePipe)
        defer { closeDescriptor(ready) }
        let passing = [making.network, making.users, refused, told].filter { $0 >= 0 }
        var helper = try HelperProcess.start(
            "resolver", passing: passing, tableSize: { descriptorTableSize },
            { () throws(KernelError) in
                let sockets = try NameSockets.open(in: making, refused: refused)
                try NameSockets.confine()
                var resolver = NameResolver(service, sockets)
                try resolver.opened.check()
                try writeAll(told, [1])
                closeDescriptor(told)
                try resolver.serve()
            })
        helper.step = making.step
        helpers.append(helper)
        closeDescriptor(told)
        try hear(&helper, ready)
        helpers[helpers.count - 1] = helper
    }

    /// The resolver is there where it refuses what is on no list: the root of all names.
    mutating func checkResolver() throws(Failure) {
        let question =
            bigEndian(0x494D) + bigEndian(0x0100) + bigEndian(1) + [0, 0, 0, 0, 0, 0] + [0]
            + bigEndian(NameQuestion.four)
            + bigEndian(1)
        let answer = try failing { () throws(KernelError) in
            try Kernel.answer(
                of: NameService.address.bytes, port: NameService.port, to: question, milliseconds: 2000)
        }
        let found = answer.count > 3 ? Int(answer[3] & 0xF) : -1
        try hold(
            found == Int(Answer.Code.refused.rawValue), "answer of \(NameService.address) port \(NameService.port)",
            "code 5, REFUSED", "code \(found)")
    }
}

extension NameSockets {
    /// Opens them in the jail's network, by a process that goes there: this one stays in the host's, where the servers are.
    fileprivate static func open(in making: NetworkInTheMaking, refused: Int32) throws(KernelError) -> NameSockets {
        let (ours, theirs) = try makeChannel()
        let resolver = currentProcess()
        guard case .parent(let child) = try fork() else {
            do throws(KernelError) {
                try HelperProcess.endWith(resolver)
                if making.users >= 0 { try join(making.users, .user) }
                try join(making.network, .net)
                try HelperProcess.endWith(resolver)
                let address = NameService.address.bytes
                try send([1], over: theirs, passing: serve(.datagrams, at: address, port: NameService.port))
                try send([1], over: theirs, passing: serve(.stream, at: address, port: NameService.port))
                try send([1], over: theirs, passing: openRules())
                exitNow(0)
            } catch {
                do throws(KernelError) {
                    try send([error.call.rawValue, UInt8(truncatingIfNeeded: error.errno.rawValue)], over: theirs)
                } catch {
                    exitNow(125)
                }
                exitNow(125)
            }
        }
        closeDescriptor(theirs)
        defer { closeDescriptor(ours) }
        var found: [Int32] = []
        while found.count < 3 {
            let message = try receive(from: ours, limit: 2)
            guard let message, let descriptor = message.descriptor else {
                let bytes = message?.bytes ?? []
                let call = bytes.first.flatMap { Call(rawValue: $0) } ?? .socket
                throw KernelError(
                    call, Errno(rawValue: bytes.count > 1 ? Int32(bytes[1]) : Errno.notPermitted.rawValue))
            }
            found.append(descriptor)
        }
        var use = ResourceUse()
        _ = try wait(for: child, blocking: true, use: &use)
        for number in [making.network, making.users] where number >= 0 { closeDescriptor(number) }
        return NameSockets(datagrams: found[0], streams: found[1], rules: found[2], refused: refused)
    }

    /// Keeps what reads the jail's messages from everything else: whoever takes it over has four sockets, and new ones of IPv4
    /// and IPv6 in the host's network.
    fileprivate static func confine() throws(KernelError) {
        let kept = try permittedCapabilities() & 1 << UInt64(Capability.net_admin.rawValue)
        try setCapabilities(permitted: kept, effective: kept, inheritable: 0)
        try setDumpable(false)
        try forbidNewPrivileges()
        try keepToSockets()
    }
}
