import JailLearn
import Kernel
import LinuxFacts
import SystemCallFilter

/// Sees the calls of a watched command that name files and addresses, and makes records of them: of what they are about to do,
/// as the kernel tells nobody what became of them.
struct Observer {
    let listener: Int32
    private let proc: HostProc
    private let calls: [Int: ObservedCall]
    private let sockets: [Int: (name: String, address: Int, length: Int)]
    private var seen = SeenAccesses()

    /// Calls whose arguments could not be read, by the program that made them.
    private(set) var unread: [String: Int] = [:]
    /// Programs that nothing was seen of, and why.
    private(set) var blind: [String: (reason: String, count: Int)] = [:]
    /// Calls that were seen.
    private(set) var count = 0

    var records: Set<AccessRecord> { seen.records }
    var isFull: Bool { seen.isFull }

    init(_ listener: Int32, in proc: HostProc, _ calls: [ObservedCall]) {
        hastenQuestions(listener)
        self.listener = listener
        self.proc = proc
        let numbers = CallNames.all(on: .native)
        self.calls = Dictionary(
            uniqueKeysWithValues: calls.compactMap { call in
                numbers.first { $0.name == call.name }.map { ($0.number, call) }
            })
        sockets = Dictionary(
            uniqueKeysWithValues: ObservedCall.sockets.compactMap { call in
                numbers.first { $0.name == call.name }.map { ($0.number, call) }
            })
    }

    /// Lets the next call be made, and records it where its process is still there.
    mutating func takeOne() throws(KernelError) {
        guard let question = try nextQuestion(listener) else { return }
        count += 1
        if let call = calls[Int(question.number)] {
            for operand in call.operands { take(operand, question) }
        } else if let call = sockets[Int(question.number)], question.arguments[call.address] != 0 {
            takeSocket(call, question)
        }
        try answer(question, on: listener)
    }

    private mutating func take(_ operand: ObservedCall.Operand, _ question: Question) {
        guard let text = text(at: question.arguments[operand.path], question), !text.isEmpty else { return }
        var absolute = text
        if text.utf8.first != UInt8(ascii: "/") {
            guard let base = base(of: operand, question) else { return }
            absolute = base + "/" + text
        }
        var use = operand.use
        switch use {
        case .open(let index):
            seen.opens = index < 0 ? .creat : OpenFlags(question.arguments[index])
        case .openBehind(let index):
            guard let bytes = proc.memory(of: question.thread, at: question.arguments[index], upTo: 8), bytes.count == 8
            else { return }
            seen.opens = OpenFlags(bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
            use = .open(flags: index)
        default: break
        }
        // Only now is it certain that what was read is of the thread that waits.
        guard isPending(question, on: listener) else { return }
        if let found = seen.take(absolute, use, follows: operand.follows), case .execute = use {
            noteProgram(found.path, found.mode)
        }
    }

    /// The directory that a relative path starts from.
    private func base(of operand: ObservedCall.Operand, _ question: Question) -> String? {
        var name = "cwd"
        if let index = operand.directory {
            let number = Int32(truncatingIfNeeded: question.arguments[index])
            if number >= 0 { name = "fd/\(number)" }
        }
        do throws(KernelError) {
            let path = try readLink("\(question.thread)/\(name)", at: proc.descriptor)
            return path.utf8.first == UInt8(ascii: "/") ? path : nil
        } catch {
            return nil
        }
    }

    private mutating func takeSocket(_ call: (name: String, address: Int, length: Int), _ question: Question) {
        let length = Int(min(question.arguments[call.length] & 0xffff_ffff, 128))
        guard let bytes = proc.memory(of: question.thread, at: question.arguments[call.address], upTo: length),
            let address = SocketAddress(bytes)
        else { return noteUnread(question) }
        var base: String?
        if case .path(let name) = address, name.first != UInt8(ascii: "/") {
            base = self.base(of: ObservedCall.Operand.here, question)
        }
        guard isPending(question, on: listener) else { return }
        seen.take(address, binds: call.name == "bind", from: base)
    }

    // MARK: Reading

    private mutating func text(at address: UInt64, _ question: Question) -> String? {
        guard address != 0 else { return nil }
        guard let bytes = proc.memory(of: question.thread, at: address, upTo: 4096) else {
            noteUnread(question)
            return nil
        }
        guard let end = bytes.firstIndex(of: 0) else { return nil }
        return String(escaping: Array(bytes[..<end]))
    }

    /// A process that is not dumpable can be read by nobody but root, ptrace(2); one that has gone needs not be.
    private mutating func noteUnread(_ question: Question) {
        guard isPending(question, on: listener) else { return }
        var name = "a program"
        do throws(KernelError) {
            name = try RefusedProcess(thread: question.thread, in: proc).program
        } catch {
            return
        }
        unread[name, default: 0] += 1
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
