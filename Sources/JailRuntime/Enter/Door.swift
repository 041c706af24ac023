import JailPlan
import JailSpec
import Kernel

/// Where those come who want to enter the jail: a socket of the launcher's, which nobody needs to wait for.
///
/// Its name is abstract, so that it goes with the launcher. A jail with the host's network can call at it, and is sent away: who has
/// come is the process behind a pidfd that it has sent, and that must be as free as the launcher itself. A jail has no pidfd of a
/// process that is not in it.
struct Door {
    /// Somebody who has come and not said yet what for.
    private struct Caller {
        let socket: Int32
        let process: Int32
        /// Until when its word must be there.
        let due: Int
    }

    let listener: Int32
    /// In the order in which they came.
    private var callers: [Caller] = []
    /// Until when nobody is let in, for want of a descriptor.
    private var closedUntil = 0

    /// nil where no door can be made: then nobody enters this jail, which is no reason against the launch.
    static func open() -> Door? {
        do throws(KernelError) {
            let listener = try listen(as: name(of: currentProcess()))
            return Door(listener: listener.release())
        } catch {
            return nil
        }
    }

    private init(listener: Int32) { self.listener = listener }

    /// That of the launcher with this id.
    static func name(of launcher: Int32) -> String { "@immure/enter/\(launcher)" }

    /// The door's own, and one for each who has come.
    var watches: [Watch] { [Watch(closedUntil == 0 ? listener : -1)] + callers.map { Watch($0.socket) } }

    /// How long the one who has come first may still take, or the next has to wait.
    var milliseconds: Int32? {
        let due = closedUntil == 0 ? callers.first?.due : min(closedUntil, callers.first?.due ?? .max)
        return due.map { Int32(clamping: max(0, ($0 - monotonicNanoseconds() + 999_999) / 1_000_000)) }
    }

    private static let patience = 1_000_000_000
    /// How many may stand there: beyond that the one who has stood longest goes.
    private static let most = 16

    /// Receives what those want who have come, as `watches` have found them; one that says nothing keeps no other out.
    mutating func answer(_ ready: ArraySlice<Watch>, in proc: HostProc) -> [EnterRequest] {
        guard let first = ready.first else { return [] }
        let now = monotonicNanoseconds()
        if closedUntil > 0, now >= closedUntil { closedUntil = 0 }
        let heard = zip(callers, ready.dropFirst()).map { $0.1.isReady }
        var requests: [EnterRequest] = []
        var left: [Caller] = []
        for (index, caller) in callers.enumerated() {
            if index < heard.count, heard[index] {
                if let request = EnterRequest(from: caller.process, over: caller.socket, in: proc) {
                    requests.append(request)
                } else {
                    closeDescriptor(caller.socket)
                }
            } else if now >= caller.due {
                closeDescriptor(caller.socket)
            } else {
                left.append(caller)
            }
        }
        callers = left
        if first.isReady { letIn(proc, now) }
        return requests
    }

    private mutating func letIn(_ proc: HostProc, _ now: Int) {
        do throws(KernelError) {
            guard let came = try acceptNow(listener) else { return }
            let connection = Descriptor(owning: came)
            let who = try peer(of: came)
            // Who is not as free as this process does not stand in the way of who is.
            guard who.user == effectiveUser(), who.process > 0, try Freedom.isShared(with: who.process, in: proc) else {
                return
            }
            if callers.count >= Self.most { closeDescriptor(callers.removeFirst().socket) }
            callers.append(Caller(socket: connection.release(), process: who.process, due: now + Self.patience))
        } catch {
            switch error.errno {
            case .noProcess, .noEntry, .accessDenied, .notPermitted: return
            default: closedUntil = now + Self.patience  // for want of a descriptor
            }
        }
    }
}

extension Supervisor {
    /// Has those enter the jail who have come for that, each by a process that is the launcher of its command.
    func heedDoor(_ ready: ArraySlice<Watch>) {
        guard let proc, door != nil, ready.contains(where: { $0.isReady }) || door?.milliseconds == 0 else { return }
        for request in door?.answer(ready, in: proc) ?? [] {
            defer { request.close() }
            do throws(KernelError) {
                let launcher = currentProcess()
                let entry = try prepareEntry(request, in: proc)
                defer { for number in [entry.process, entry.group] where number >= 0 { closeDescriptor(number) } }
                guard case .parent = try fork() else { request.serve(entry, plan, launcher, proc, tell) }
            } catch {
                let isOver = error.errno == .noProcess || error.errno == .noEntry
                request.refuse(isOver ? Entry.over : "\(error.call.name): \(error.errno.name) \(error.errno.words)")
            }
        }
    }

    private func prepareEntry(_ request: EnterRequest, in proc: HostProc) throws(KernelError) -> Entry {
        // All is in force before it is executed, which it may have been without a word as yet.
        guard [.executing, .running].contains(stage.state), ended == nil, !isOver else {
            throw KernelError(.clone3, .noProcess, path: "")
        }
        let command = try plan.supervision.hasInit ? firstChild(of: child, in: proc) : child
        let process = try openProcess(command)
        // Its id may have become another's before it was opened, and not since.
        if plan.supervision.hasInit, try firstChild(of: child, in: proc) != command {
            throw KernelError(.pidfdOpen, .noProcess)
        }
        let rules = plan.steps.indices.filter { index in
            switch plan.steps[index].operation {
            case .landlock(.keepToTree), .landlock(.enforceRuleset): true
            default: false
            }
        }
        let holding = plan.steps.firstIndex { if case .process(.holdNamespaces) = $0.operation { true } else { false } }
        var namespaces: [(kind: NamespaceKind, descriptor: Int32)] = []
        if let holding, case .process(.holdNamespaces(let kinds)) = plan.steps[holding].operation {
            let numbers = opened.held(by: [holding]).map(\.descriptor)
            guard numbers.count == kinds.count else { throw KernelError(.setns, .noProcess) }
            for (kind, number) in zip(kinds, numbers) { namespaces.append((kind, number)) }
        }
        let group = try leaf.map { leaf throws(KernelError) in try leaf.group(of: command, in: proc) } ?? -1
        return Entry(
            command: command, process: process.release(), rules: opened.held(by: rules),
            namespaces: namespaces, programs: programs, group: group, client: request.client)
    }

    /// The jail's command is the first child of the reaper, and stays so: orphans are put behind it.
    private func firstChild(of process: Int32, in proc: HostProc) throws(KernelError) -> Int32 {
        let list = try readText("\(process)/task/\(process)/children", at: proc.descriptor)
        guard let first = list.split(separator: " ").first.flatMap({ Int32($0) }) else {
            throw KernelError(.pidfdOpen, .noProcess)
        }
        return first
    }
}

extension Leaf {
    /// The group that a process of the jail is in, open: that of the jail, or one within, as a group with groups that have
    /// controllers has no processes of its own.
    fileprivate func group(of process: Int32, in proc: HostProc) throws(KernelError) -> Int32 {
        for line in try readText("\(process)/cgroup", at: proc.descriptor).split(separator: "\n") {
            guard line.utf8.starts(with: "0::".utf8) else { continue }
            var names = line.dropFirst(3).split(separator: "/").map(String.init)
            guard let place = names.firstIndex(of: name) else { break }
            names.removeFirst(place + 1)
            var group = try open(".", at: directory, .read | .directory)
            for name in names where name != ".." {
                group = try open(name, at: group.number, .read | .directory | .noFollow)
            }
            return group.release()
        }
        throw KernelError(.open, .noEntry, path: name)
    }
}
