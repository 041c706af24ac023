import JailPlan
import Kernel

/// Where those come who want to enter the jail: a socket of the launcher's, which nobody needs to wait for.
///
/// Its name is abstract, so that it goes with the launcher. A jail with the host's network can call at it, and is sent away: who has
/// come is the process behind a pidfd that it has sent, and that must be as free as the launcher itself. A jail has no pidfd of a
/// process that is not in it.
struct Door {
    let listener: Int32
    /// Who has come, and until when its words must be there.
    private var caller: (socket: Int32, process: Int32, due: Int)?
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

    var watch: Watch { Watch(caller?.socket ?? (closedUntil == 0 ? listener : -1)) }

    /// How long the one who has come may still take, or the next has to wait.
    var milliseconds: Int32? {
        let due = caller?.due ?? (closedUntil == 0 ? nil : closedUntil)
        return due.map { Int32(clamping: max(0, ($0 - monotonicNanoseconds() + 999_999) / 1_000_000)) }
    }

    private static let patience = 1_000_000_000

    /// Receives who has come, and what that wants; nil where there is nothing (yet) to be done.
    mutating func answer(_ ready: Watch, in proc: HostProc) throws(KernelError) -> EnterRequest? {
        guard let (socket, process, due) = caller else {
            guard let came = try next(ready) else { return nil }
            let connection = Descriptor(owning: came)
            let who = try peer(of: came)
            guard who.user == effectiveUser(), who.process > 0 else { return nil }
            caller = (connection.release(), who.process, monotonicNanoseconds() + Self.patience)
            return nil
        }
        guard ready.isReady || monotonicNanoseconds() >= due else { return nil }
        caller = nil
        var isTaken = false
        defer { if !isTaken { closeDescriptor(socket) } }
        guard let notice = try receiveNotice(from: socket, limit: EnterRequest.limit) else { return nil }
        defer { if !isTaken { notice.close() } }
        guard let request = EnterRequest(notice, over: socket), try request.comes(from: process, in: proc) else {
            return nil
        }
        isTaken = true
        return request
    }

    private mutating func next(_ ready: Watch) throws(KernelError) -> Int32? {
        closedUntil = 0
        guard ready.isReady else { return nil }
        do throws(KernelError) {
            return try acceptNow(listener)
        } catch {
            closedUntil = monotonicNanoseconds() + Self.patience
            throw error
        }
    }
}

extension Supervisor {
    /// Has one more command enter the jail, by a process that is the launcher of that.
    mutating func heedDoor(_ ready: Watch) throws(KernelError) {
        guard let proc, door != nil, ready.isReady || door?.milliseconds == 0 else { return }
        let request: EnterRequest
        do throws(KernelError) {
            guard let came = try door?.answer(ready, in: proc) else { return }
            request = came
        } catch {
            return  // whoever comes and goes, or lacks a descriptor, ends no jail
        }
        defer { request.close() }
        do throws(KernelError) {
            let launcher = currentProcess()
            let entry = try prepareEntry(request, in: proc)
            defer { for number in [entry.process, entry.group] where number >= 0 { closeDescriptor(number) } }
            guard case .parent = try fork() else { request.serve(entry, plan, launcher, tell) }
        } catch {
            request.refuse("\(error.call.name): \(error.errno.name) \(error.errno.words)")
        }
    }

    private func prepareEntry(_ request: EnterRequest, in proc: HostProc) throws(KernelError) -> Entry {
        guard stage.state == .running, ended == nil, !isOver else {
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
            case .keepToTree, .enforceRuleset: true
            default: false
            }
        }
        let group = try leaf.map { leaf throws(KernelError) in try leaf.group(of: command, in: proc) } ?? -1
        return Entry(
            command: command, process: process.release(), rules: opened.held(by: rules), programs: programs,
            group: group,
            client: request.client)
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
