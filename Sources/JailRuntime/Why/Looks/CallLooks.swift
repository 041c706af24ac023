import JailLearn
import JailPlan
import Kernel
import LinuxFacts
import SpecFile

/// Looks at a call of the jail before it is made, or as the filter refuses it, for what it says of the spec.
struct CallLooks {
    let scene: JailScene
    let proc: HostProc
    private let calls = Dictionary(
        uniqueKeysWithValues: ObservedCall.all(withLooks: true).map { ($0.name, $0.operands) })
    private let sockets = ObservedCall.sockets
    private let searched = SearchedDirectories()
    private let missed = MissedNames()
    private let limits: LimitLooks
    private let addresses: AddressLooks
    private let answers: NamesSeen

    init(scene: JailScene, proc: HostProc) {
        (self.scene, self.proc, limits) = (scene, proc, LimitLooks(scene: scene, proc: proc))
        (addresses, answers) = (AddressLooks(scene: scene, searched: searched), NamesSeen(in: proc))
    }

    /// What becomes of the call by the filter.
    enum Verdict: UInt8 {
        case made, refused, absent
    }

    /// What is kept from the thread, each with the call and the program.
    func look(_ question: Question, _ name: String, _ verdict: Verdict) -> [Denial] {
        do throws(KernelError) {
            let thread = try ThreadState(question.thread, in: proc)
            var found: [Denial]
            if verdict == .made {
                found = (limits.look(question, name, thread).map { [$0] } ?? []) + made(question, name, thread)
            } else {
                found = refused(question, name, verdict, thread)
            }
            for index in found.indices {
                (found[index].call, found[index].program) = (name, thread.program)
                guard found[index].kind == .nowhere else { continue }
                found[index].process = thread.process
                missed.note(thread.process)
            }
            return found
        } catch {
            return []  // whoever made it is gone
        }
    }

    /// What answers to questions for names come by.
    static let datagrams = "recvfrom"

    // MARK: Refused by the filter

    /// CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET; CLONE_NEWTIME is another's bit in clone(2).
    private static let namespaces: UInt64 = 0x7e02_0000

    private func refused(_ question: Question, _ name: String, _ verdict: Verdict, _ thread: ThreadState) -> [Denial] {
        let nested = "namespaces.nested = true"
        switch name {
        case "unshare", "setns": return [Denial(.refused, name, line: nested)]
        case "clone" where question.arguments[0] & Self.namespaces != 0:
            return [Denial(.refused, name, remark: "which is to make namespaces", line: nested)]
        case "clone3":
            // The flags are the first field of `struct clone_args`, clone(2).
            guard number(at: question.arguments[0], thread) & Self.namespaces != 0 else { break }
            return [Denial(.refused, name, remark: "which is to make namespaces", line: nested)]
        case "chown", "fchown", "lchown", "fchownat":
            if let denial = OwnerLooks(scene: scene, thread: thread).look(question, name) { return [denial] }
        default: break
        }
        return [
            RefusalLooks(scene: scene, thread: thread).look(question, name, verdict == .absent ? .absent : .refused)
        ]
    }

    // MARK: Made

    private func made(_ question: Question, _ name: String, _ thread: ThreadState) -> [Denial] {
        if name == Self.datagrams { return answers.answer(question).map { [Denial($0)] } ?? [] }
        if let operands = calls[name] {
            let looks = PathLooks(thread: thread, scene: scene, searched: searched)
            var names: [PathLooks.Name] = []
            let found = operands.flatMap { operand -> [Denial] in
                guard let text = thread.path(at: question.arguments[operand.path]), !text.isEmpty else { return [] }
                let start = operand.directory.map { Int32(truncatingIfNeeded: question.arguments[$0]) }
                names.append((text, start))
                return looks.look(text, from: start, need(operand.use, question, thread))
            }.flatMap { followed($0, question, thread, looks) }
            let isRename = name.hasPrefix("rename")
            guard found.isEmpty else { return found }
            if names.count == 2, isRename || name.hasPrefix("link"),
                let denial = looks.move(names[0], to: names[1], isRename: isRename)
            {
                return [denial]
            }
            return goesOn(with: names, thread, looks)
        }
        guard let call = sockets.first(where: { $0.name == name }) else { return [] }
        let length = Int(min(question.arguments[call.length] & 0xffff_ffff, 128))
        guard let bytes = thread.memory(at: question.arguments[call.address], upTo: length),
            let address = SocketAddress(bytes), call.use != .connect || SocketAddress.family(bytes) != 0
        else { return [] }
        let found =
            name == "bind"
            ? addresses.bind(address, thread).map { [$0] } ?? [] : addresses.connect(address, thread)
        guard found.isEmpty, missed.isOver(thread.process, using: nil) else { return found }
        return [.wentOn(thread.process)]
    }

    /// A process that missed what the host has not either, and now uses what is there, did without it.
    private func goesOn(with names: [PathLooks.Name], _ thread: ThreadState, _ looks: PathLooks) -> [Denial] {
        guard missed.has(thread.process), let name = names.first, let path = looks.standing(name),
            missed.isOver(thread.process, using: path)
        else { return [] }
        return [.wentOn(thread.process)]
    }

    /// What is there in the caller's directory must be shown as well.
    private func followed(
        _ denial: Denial, _ question: Question, _ thread: ThreadState, _ looks: PathLooks
    ) -> [Denial] {
        guard denial.kind == .place else { return [denial] }
        return [denial] + looks.look(scene.callerDirectory + "/" + denial.subject, from: nil, .read)
    }

    /// Eight bytes of a thread's memory, or as many as can be read.
    private func number(at address: UInt64, _ thread: ThreadState) -> UInt64 {
        UInt64(littleEndianBytes: (thread.memory(at: address, upTo: 8) ?? [])[...])
    }

    private func need(_ use: ObservedCall.Use, _ question: Question, _ thread: ThreadState) -> PathLooks.Need {
        switch use {
        case .open(let index): Self.need(index < 0 ? .creat : OpenFlags(question.arguments[index]))
        case .openBehind(let index):
            Self.need(OpenFlags(number(at: question.arguments[index], thread)))
        case .make: .make(isDirectory: false)
        case .makeDirectory: .make(isDirectory: true)
        case .remove: .remove
        case .modify: .changeAttributes
        case .enter: .enter
        case .execute: .execute
        case .look: .look
        }
    }

    private static func need(_ flags: OpenFlags) -> PathLooks.Need {
        if flags.namesOnly { return .look }
        // A name that is there is only opened.
        if flags.creates { return .openOrMake(flags) }
        return flags.writes ? .write : .read
    }
}
