import JailLearn
import Kernel
import LinuxFacts
import SpecFile
import SystemCallFilter

/// Sees the calls of a watched command that name files and addresses, and makes records of them: of what they are about to do,
/// as the kernel tells nobody what became of them.
struct Observer {
    let listener: Int32
    private let proc: HostProc
    /// By the number of the call.
    private let watched: [Watched?]
    private var views: ThreadViews
    private var seen = SeenAccesses()
    private let names: NamesSeen
    /// The program that watches; nil where that cannot be told.
    private let own: FileStatus?

    /// Calls whose arguments could not be read, by the program that made them.
    private(set) var unread: [String: Int] = [:]
    /// Programs that nothing was seen of, and why.
    private(set) var blind: [String: (reason: String, count: Int)] = [:]
    /// Paths and addresses of another root, other mounts or another network, by the program.
    private(set) var apart: [String: Int] = [:]
    /// Families of addresses that no line of a spec speaks of, by the program that used them.
    private(set) var foreign: [String: Set<String>] = [:]
    /// Calls that were seen.
    private(set) var count = 0

    var records: Set<AccessRecord> { seen.records }

    /// The records that were made since this was asked.
    mutating func takeFresh() -> [AccessRecord] { seen.takeFresh() }

    var isFull: Bool { seen.isFull }

    private enum Watched {
        case file([ObservedCall.Operand])
        case socket(ObservedCall.SocketUse, address: Int, length: Int)
        /// With the flags by which it makes namespaces.
        case move(ObservedCall.Move, namespaces: UInt64)
        /// recvfrom(2) of a datagram.
        case datagram
    }

    /// What a path of a call has led to, and what is to be done with it.
    private struct Access {
        enum Place {
            case own(String), other(PathWalk)
        }

        let place: Place
        let operand: ObservedCall.Operand
        let opens: OpenFlags

        var changesNothing: Bool {
            switch operand.use {
            case .open, .openBehind: opens.changesNothing
            case .enter, .look, .execute: true
            case .make, .makeDirectory, .remove, .modify: false
            }
        }
    }

    init(_ listener: Int32, in proc: HostProc, _ calls: [ObservedCall]) {
        hastenQuestions(listener)
        (self.listener, self.proc, views, names) = (listener, proc, ThreadViews(in: proc), NamesSeen(in: proc))
        own = Caller.ownFile
        let numbers = CallNames.all(on: .native)
        var watched = [Watched?](repeating: nil, count: (numbers.map(\.number).max() ?? 0) + 1)
        func watch(_ name: String, _ what: Watched) {
            for call in numbers where call.name == name { watched[call.number] = what }
        }
        for call in calls { watch(call.name, .file(call.operands)) }
        for call in ObservedCall.sockets {
            watch(call.name, .socket(call.use, address: call.address, length: call.length))
        }
        for call in ObservedCall.moves {
            watch(call.name, .move(call.move, namespaces: ObservedCall.namespaceFlags[call.name] ?? 0))
        }
        watch(Self.datagrams, .datagram)
        self.watched = watched
    }

    /// The calls that wait for an observer of those.
    static func names(_ calls: [ObservedCall]) -> [String] {
        calls.map(\.name) + ObservedCall.sockets.map(\.name) + ObservedCall.moves.map(\.name) + [datagrams]
    }

    private static let datagrams = "recvfrom"

    /// How long may be waited for the next call, in milliseconds, before `rest`; nil for ever.
    var patience: Int32? { views.remembers ? ThreadViews.moment : nil }

    /// Notes that no call has come for a while.
    mutating func rest() { views.forget() }

    /// Lets the next call be made, and records it where its process is still there.
    mutating func takeOne() throws(KernelError) {
        guard let question = try nextQuestion(listener) else { return }
        count += 1
        if views.hear(of: question.thread) { seen.forget() }
        let number = Int(question.number)
        switch watched.indices.contains(number) ? watched[number] : nil {
        case .file(let operands)?: return try take(operands, question)
        case .socket(let use, let address, let length)?:
            if question.arguments[address] != 0 { takeSocket(use, address, length, question) }
        case .move(let move, let namespaces)?:
            views.note(move, of: question.thread)
            if move != .directory { seen.forget() }
            if question.arguments[0] & namespaces != 0, let program = program(of: question) {
                seen.take(namespacesBy: program)
            }
        case .datagram?:
            if let answer = names.answer(question), isPending(question, on: listener) { seen.take(answer) }
        case nil: break
        }
        try answer(question, on: listener)
    }

    private mutating func take(_ operands: [ObservedCall.Operand], _ question: Question) throws(KernelError) {
        let accesses = operands.compactMap { access($0, question) }
        // Only the answer, or asking, makes it certain that what was read is of the thread that waits. Where the call changes
        // nothing it is made first: whatever may change its file afterwards is asked about, too, and waits for this.
        guard accesses.allSatisfy(\.changesNothing) else {
            if isPending(question, on: listener) {
                accesses.forEach { record($0) }
                // Other threads may look a name up before it is changed.
                if seen.tookBack() { views.note(.mounts, of: question.thread) }
            }
            try answer(question, on: listener)
            return
        }
        if try answer(question, on: listener) { accesses.forEach { record($0) } }
    }

    private mutating func access(_ operand: ObservedCall.Operand, _ question: Question) -> Access? {
        guard let text = text(at: question.arguments[operand.path], question), !text.isEmpty else { return nil }
        var opens = OpenFlags(0)
        switch operand.use {
        case .open(let index): opens = index < 0 ? .creat : OpenFlags(question.arguments[index])
        case .openBehind(let index):
            guard let bytes = proc.memory(of: question.thread, at: question.arguments[index], upTo: 8), bytes.count == 8
            else { return nil }
            opens = OpenFlags(UInt64(littleEndianBytes: bytes[...]))
        case .enter: views.note(.directory, of: question.thread)
        case .execute: views.forget()
        default: break
        }
        guard let place = place(text, operand, question) else { return nil }
        return Access(place: place, operand: operand, opens: opens)
    }

    /// Where a path leads from: nil where that cannot be told, or nothing is there that a line could show.
    private mutating func place(
        _ text: String, _ operand: ObservedCall.Operand, _ question: Question
    ) -> Access.Place? {
        let isRelative = text.utf8.first != UInt8(ascii: "/")
        let base = isRelative ? views.directory(of: operand, question) : ""
        guard let base else { return nil }
        let path = isRelative ? base + "/" + text : text
        let found = views.view(of: question.thread) { view -> (own: Bool, other: PathWalk.Elsewhere) in
            guard case .other(let root, let top) = view else { return (true, .nowhere) }
            // From its root on; what stands above it is out of the thread's reach but by a directory that it has kept.
            guard isRelative, top != "/" else {
                return (false, PathWalk.elsewhere(path, below: root, followsLast: operand.follows))
            }
            guard isWithin(base, top) else { return (false, .apart) }
            let inner = String(path.utf8.dropFirst(top.utf8.count)) ?? "/"
            return (false, PathWalk.elsewhere(inner, below: root, followsLast: operand.follows))
        }
        switch found {
        case (true, _)?: return .own(path)
        case (_, .same(let walk))?: return .other(walk)
        case (_, .nowhere)?: return nil
        case (_, .apart)?, nil:
            noteApart(question)
            return nil
        }
    }

    private mutating func record(_ access: Access) {
        seen.opens = access.opens
        var use = access.operand.use
        if case .openBehind(let index) = use { use = .open(flags: index) }
        let found =
            switch access.place {
            case .own(let path): seen.take(path, use, follows: access.operand.follows)
            case .other(let walk): seen.take(walk, use)
            }
        if let found, case .execute = use { noteProgram(found.path, found.mode) }
    }

    private mutating func takeSocket(_ call: ObservedCall.SocketUse, _ place: Int, _ length: Int, _ question: Question)
    {
        let length = Int(min(question.arguments[length] & 0xffff_ffff, 128))
        let bytes: [UInt8]
        switch proc.bytes(of: question.thread, at: question.arguments[place], upTo: length) {
        case .text(let found): bytes = found
        case .none: return
        case .closed: return noteUnread(question)
        }
        // It undoes what an earlier connect(2) did.
        if call == .connect, SocketAddress.family(bytes) == 0 { return }
        guard let address = SocketAddress(bytes) else {
            if let family = SocketAddress.foreign(bytes), let program = program(of: question) {
                foreign[program, default: []].insert(family)
            }
            return
        }
        guard case .path(let name) = address else {
            guard views.sharesNetwork(question.thread) else { return noteApart(question) }
            let transport = transport(of: address, call, question)
            if isPending(question, on: listener) { seen.take(address, binds: call == .bind, transport) }
            return
        }
        let use: ObservedCall.Use = call == .bind ? .make : .look
        guard
            let file = self.place(
                String(escaping: name), ObservedCall.Operand(use, 0, follows: call != .bind), question)
        else { return }
        guard isPending(question, on: listener) else { return }
        switch file {
        case .own(let path): seen.take(socket: path, binds: call == .bind)
        case .other(let walk): seen.take(socket: walk, binds: call == .bind)
        }
    }

    private func transport(
        of address: SocketAddress, _ call: ObservedCall.SocketUse, _ question: Question
    ) -> AccessRecord.Transport {
        if case .abstract = address { return .unix }
        let socket = Int32(truncatingIfNeeded: question.arguments[0])
        guard let isDatagram = proc.isDatagramSocket(socket, of: question.thread) else { return .inet }
        if isDatagram { return call == .connect ? .aimed : .udp }
        return call == .bind ? .inet : .tcp
    }

    // MARK: Reading

    private mutating func text(at address: UInt64, _ question: Question) -> String? {
        switch proc.text(of: question.thread, at: address) {
        case .text(let text): return text
        case .none: return nil
        case .closed:
            noteUnread(question)
            return nil
        }
    }

    /// A process that is not dumpable can be read by nobody but root, ptrace(2); one that has gone needs not be.
    private mutating func noteUnread(_ question: Question) {
        if let program = program(of: question) { unread[program, default: 0] += 1 }
    }

    private mutating func noteApart(_ question: Question) {
        if let program = program(of: question) { apart[program, default: 0] += 1 }
    }

    private func program(of question: Question) -> String? {
        do throws(KernelError) {
            let program = try RefusedProcess(thread: question.thread, in: proc).program
            return isPending(question, on: listener) ? program : nil
        } catch {
            return nil
        }
    }

    private mutating func note(blind program: String, _ reason: String) {
        blind[program] = (reason, blind[program, default: (reason, 0)].count + 1)
    }

    /// What the kernel opens by itself, and programs that nothing will be seen of.
    private mutating func noteProgram(_ path: String, _ mode: UInt32) {
        if mode & 0o4000 != 0, effectiveUser() != 0 {
            note(blind: path, "its set-user-ID bit had no effect, as it has none in the jail")
        }
        do throws(KernelError) {
            let file = try open(path, .read | .nonBlocking | .noTerminal)
            if let own, try status(of: file.number).isSame(as: own) { note(blind: path, Caller.cannotBeWatched) }
            let head = try readSome(file.number, upTo: 4096)
            if head.starts(with: [0x7f, 0x45, 0x4c, 0x46, 1]) {
                note(blind: path, "a 32-bit program, of which nothing was seen")
            }
            if let next = ProgramHead.interpreter(head) ?? ProgramHead.loader(head) {
                seen.take(next, .execute, follows: true)
            }
        } catch {
            return  // the kernel will not execute it either, or it is one that may not be read
        }
    }
}
