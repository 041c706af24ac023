import JailSpec
import LinuxFacts
import SpecFile

/// What the command gets of the service manager's offer.
struct ResolvedService {
    enum Notify {
        case none
        /// Through a socket of the jail's own, which the reaper and the launcher serve.
        case relayed
        /// Through the manager's own socket at that path, bound into the jail.
        case bound(String)
    }

    var notify = Notify.none
    var credentials: String?
    var descriptors: [Int32] = []
    var variables: [(name: String, value: String)] = []
    /// Variables whose value is the command's own process id, which nobody knows before it runs.
    var ownProcess: [String] = []
}

extension Planner {
    /// Where the jail's own notify socket is: a directory of its own, so that the socket is all that is in it.
    static let noticeDirectory = "/run/immure"

    mutating func resolveService() {
        guard spec.service.isUsed else { return }
        resolveNotify()
        resolveSockets()
        resolveCredentials()
    }

    private mutating func resolveNotify() {
        let access = spec.service.notify
        if case .none = access.value { return }
        guard let socket = host.service.notifySocket else {
            return missing("service.notify: NOTIFY_SOCKET is not set", at: access.position, by: "Type=notify")
        }
        let first = socket.utf8.first
        guard first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else {
            return fault("service.notify: NOTIFY_SOCKET=\(socket) is no socket of this host", at: access.position)
        }
        if case .exec = access.value {
            // From the launcher itself, which is the manager's main process whatever namespaces the jail has.
            plan.announces = true
            return add(.service(.connectManager(socket)), access.position)
        }
        var path = Self.noticeDirectory + "/notify"
        if case .host = spec.namespaces[.pid].value {
            // The kernel gives the manager the sender's id in the manager's own namespace, which here is the jail's too:
            // nothing has to be translated, and the command may be the very process that the manager has started.
            path = socket
            if first == UInt8(ascii: "@") && isNew(.net) {
                return fault(
                    "service.notify: \(socket) is an abstract socket of the host's network", at: access.position,
                    hint: "set network.mode = \"host\", or \(Remedy.own(.pid))")
            }
            service.notify = first == UInt8(ascii: "/") && isNew(.mount) ? .bound(socket) : .none
        } else {
            guard plan.supervision.hasInit || spec.process.boot.value else {
                return fault(
                    "service.notify needs process.init = true: the reaper tells who has sent a message",
                    at: access.position, hint: "remove process.init, or set namespaces.pid = \"host\"")
            }
            guard needsOwnMounts(for: "service.notify", at: access.position) else { return }
            service.notify = .relayed
            var offset: Duration?
            if case .new = spec.namespaces[.time].value { offset = spec.namespaces.monotonic?.value }
            let hearsCommandOnly = if case .main = access.value { true } else { false }
            plan.notices = Plan.Notices(
                socket: socket, isDirect: !plan.supervision.hasInit, fromCommandAlone: hearsCommandOnly,
                clockOffset: offset,
                isWatched: host.service.watchdog != nil)
            add(.service(.connectManager(socket)), access.position)
        }
        service.variables.append(("NOTIFY_SOCKET", path))
        if let interval = host.service.watchdog {
            service.variables.append(("WATCHDOG_USEC", interval))
            service.ownProcess.append("WATCHDOG_PID")
        }
    }

    private mutating func resolveSockets() {
        let wanted = spec.service.sockets
        guard wanted.value else { return }
        let count = host.service.socketCount
        guard count > 0 else {
            return missing("service.sockets: no socket is passed to immure", at: wanted.position, by: "a .socket unit")
        }
        service.descriptors = Array(3..<(3 + count))
        service.variables.append(("LISTEN_FDS", "\(count)"))
        if let names = host.service.socketNames { service.variables.append(("LISTEN_FDNAMES", names)) }
        service.ownProcess.append("LISTEN_PID")
    }

    private mutating func resolveCredentials() {
        let wanted = spec.service.credentials
        guard wanted.value else { return }
        guard let directory = host.service.credentials else {
            return missing(
                "service.credentials: CREDENTIALS_DIRECTORY is not set", at: wanted.position, by: "LoadCredential=")
        }
        guard needsOwnMounts(for: "service.credentials", at: wanted.position) else { return }
        service.credentials = directory
        service.variables.append(("CREDENTIALS_DIRECTORY", directory))
    }

    /// Reports what the manager does not offer; where the spec can do without, as a note.
    private mutating func missing(_ what: String, at position: Position?, by directive: String) {
        if spec.service.optional.value { return note(what, at: position) }
        fault(
            what, at: position,
            hint: "start it by a unit with \(directive), or set service.optional = true to go without")
    }

    private mutating func needsOwnMounts(for what: String, at position: Position?) -> Bool {
        if isNew(.mount) { return true }
        fault("\(what) needs a mount namespace of the jail's own", at: position)
        return false
    }
}

extension TreeBuilder {
    /// What the service manager's offer puts into the tree.
    mutating func placeService() {
        placeJournal()
        switch service.notify {
        case .none: break
        case .bound(let path):
            placeTree(path, on: path, .closed | .noExecute, at: spec.service.notify.position)
        case .relayed:
            // The directory is the tmpfs's own, so that the jail sees the socket and nothing else.
            let parameters = [FileSystemOption("mode", "0755"), FileSystemOption("size", "4k")]
            place(
                .noticeSocket(FileSystem(type: "tmpfs", parameters: parameters)), on: Planner.noticeDirectory,
                .closed | .noExecute, isDirectory: true, sealed: true,
                at: spec.service.notify.position)
        }
        if let directory = service.credentials {
            let origin = spec.service.credentials.position
            // Read by whoever may read them outside, and written again with the ids of the command, which has others.
            sources.append(Plan.Step(.service(.readCredentials(directory)), origin))
            // On ramfs, as systemd has it: what is secret is never swapped out.
            place(
                .credentials(FileSystem(type: "ramfs", parameters: [.init("mode", "0700")])),
                on: directory, .closed | .noExecute, isDirectory: true, sealed: true, at: origin)
        }
    }

    /// The sockets of systemd-journald.service(8) at their own paths. Where the mounts are the host's, they are there already.
    private mutating func placeJournal() {
        guard spec.service.journal.value, needsMounts else { return }
        let origin = spec.service.journal.position
        for name in ["dev-log", "socket", "stdout"] {
            let path = "/run/systemd/journal/" + name
            placeTree(path, on: path, .closed | .noExecute, optional: spec.service.optional.value, at: origin)
        }
        // A /dev of the host's has it.
        if case .host = spec.filesystem.devices.value { return }
        if spec.filesystem.mounts.contains(where: { $0.target == "/dev" || $0.target == "/dev/log" }) { return }
        place(
            Placement(
                target: "/dev/log", origin: origin,
                placing: .tree(.makeSymlink(target: "/dev/log", to: "/run/systemd/journal/dev-log"))))
    }
}
