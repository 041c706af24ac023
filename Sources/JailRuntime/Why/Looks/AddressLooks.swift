import JailLearn
import JailPlan
import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// Looks at an address that a thread of the jail is about to have or to reach.
struct AddressLooks {
    let scene: JailScene
    let searched: SearchedDirectories

    /// The first port that everybody may have in a network that is new, ip_unprivileged_port_start of ip(7).
    private static let firstOrdinaryPort = 1024

    func bind(_ address: SocketAddress, _ thread: ThreadState) -> Denial? {
        guard case .inet(let host, let port) = address else { return nil }
        let name = "\(host):\(port)"
        if !scene.leaves(.bind, open: port) {
            return Denial(.landlock, name, line: "landlock.bind_tcp = [\(port)]")
        }
        guard scene.ownsNetwork, !scene.publishes, port > 0, port < Self.firstOrdinaryPort,
            !thread.capabilities.contains(.net_bind_service)
        else { return nil }
        let (line, note) = scene.keeping(.net_bind_service)
        return Denial(
            .closed, name,
            remark: "as ports below \(Self.firstOrdinaryPort) take net_bind_service or a port that is published" + note,
            line: line)
    }

    func connect(_ address: SocketAddress, _ thread: ThreadState) -> [Denial] {
        switch address {
        case .inet(let host, let port): return connect(host, port, thread)
        case .path(let bytes):
            return PathLooks(thread: thread, scene: scene, searched: searched).look(
                String(escaping: bytes), from: nil, .connect)
        case .abstract(let name): return name.isEmpty ? [] : abstract(name, thread).map { [$0] } ?? []
        }
    }

    private func connect(_ host: String, _ port: UInt16, _ thread: ThreadState) -> [Denial] {
        let name = "\(host):\(port)"
        var found: [Denial] = []
        if host.hasPrefix("127.") || host == "[::1]" {
            if let denial = loopback(name, port, thread) { return [denial] }
        } else if scene.isCutOff {
            if port == NameService.port { return [SoughtNames(thread).denial(.network, name, isCutOff: true)] }
            return [Denial(.network, name, line: "network = { mode = \"user\", allow = [\"\(name)\"] }")]
        } else if scene.hasRules {
            // Whether it is refused the rules tell when the jail has ended.
            let isServer = port == NameService.port
            found.append(isServer ? SoughtNames(thread).denial(.tried, name, isCutOff: false) : Denial(.tried, name))
        }
        guard !scene.leaves(.connect, open: port) else { return found }
        return found + [Denial(.landlock, name, line: "landlock.connect_tcp = [\(port)]")]
    }

    // MARK: Sockets of the host's

    private func abstract(_ name: String, _ thread: ThreadState) -> Denial? {
        func entry(_ host: Bool) -> Substring? {
            thread.table("unix", ofHost: host).first { $0.hasSuffix(" @" + name) }
        }
        guard let own = entry(false) else {
            return entry(true).map { _ in Denial(.loopback, "@" + name, line: "network.mode = \"host\"") }
        }
        // LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET: what was made outside of the jail.
        let words = own.split(separator: " ")
        guard scene.closed.scopesAbstractSockets, words.count > 6, thread.isOutside(socket: words[6]) else {
            return nil
        }
        let left = scene.closed.scopesSignals ? "\"signal\"" : ""
        return Denial(
            .landlock, "@" + name,
            remark: scene.closedBy.map { "and the line takes the place of the scope of \($0)" } ?? "",
            line: "landlock.scope = [\(left)]")
    }

    /// A port of the host's loopback: the jail has a loopback of its own, where it is free.
    private func loopback(_ name: String, _ port: UInt16, _ thread: ThreadState) -> Denial? {
        func listens(_ host: Bool) -> Bool {
            ["tcp", "tcp6"].contains { table in
                thread.table(table, ofHost: host).contains { line in
                    let words = line.split(separator: " ")
                    // The local address in hexadecimal, and the state 0A: proc_net(5).
                    guard words.count > 3, words[3] == "0A", let colon = words[1].lastIndex(of: ":") else {
                        return false
                    }
                    return UInt16(words[1][words[1].index(after: colon)...], radix: 16) == port
                }
            }
        }
        guard listens(true), !listens(false) else { return nil }
        return Denial(.loopback, name, line: "network.mode = \"host\"")
    }
}

extension ThreadState {
    /// Whether a socket, by its inode, is nobody's of the jail's own processes: only where there are such and all of them could be asked.
    fileprivate func isOutside(socket inode: Substring) -> Bool {
        do throws(KernelError) {
            let own = try readLink("\(number)/ns/pid", at: proc.descriptor)
            guard own != (try readLink("self/ns/pid", at: proc.descriptor)) else { return false }
            for name in try entries(of: proc.descriptor) where name.utf8.first.map({ 0x30...0x39 ~= $0 }) == true {
                guard isIn(own, process: name) else { continue }
                let directory = try open("\(name)/fd", at: proc.descriptor, .path | .directory)
                for file in try entries(of: directory.number)
                where try readLink(file, at: directory.number) == "socket:[\(inode)]" { return false }
            }
            return true
        } catch {
            return false
        }
    }

    private func isIn(_ namespace: String, process: String) -> Bool {
        do throws(KernelError) {
            return try readLink("\(process)/ns/pid", at: proc.descriptor) == namespace
        } catch {
            return false  // it has ended, or is another user's
        }
    }
}
