import JailLearn
import Kernel
import LinuxFacts

/// Something that a jail kept from its command, as `immure run --why` tells it.
package struct Denial: Equatable, Sendable {
    /// In the order in which they explain a failure: what was to be changed, before what was only looked for.
    package enum Kind: Int, Sendable {
        case readOnly, network, refused, missing
        /// A call that this kernel might as well not have, which programs are prepared for.
        case absent
    }

    package let kind: Kind
    /// The path in the jail, the address, or the call.
    package let subject: String
    /// The call, and the program that made it.
    let call: String
    let program: String
    /// The line of the spec that would open it.
    package let line: String

    /// `/srv/x is missing in the jail (openat, cat): filesystem.ro = ["/srv/x"]`
    package var words: String {
        let what =
            switch kind {
            case .readOnly: "\(subject) is read-only in the jail"
            case .network: "\(subject) is out of the jail's network"
            case .refused: "\(subject) is refused by the filter"
            case .absent: "\(subject) is answered as if the kernel did not have it"
            case .missing: "\(subject) is missing in the jail, and there on the host"
            }
        return "\(what) (\(call), \(program)): \(line)"
    }

    /// The most likely cause of a failure first: of one kind what came last.
    package static func sorted(_ denials: [Denial]) -> [Denial] {
        denials.reversed().enumerated().sorted {
            ($0.element.kind.rawValue, $0.offset) < ($1.element.kind.rawValue, $1.offset)
        }.map(\.element)
    }
}

/// Looks at the calls of a jail before they are made, for what will fail inside and would not outside. What it reads of the
/// command's memory is told, and decides nothing.
struct DenialObserver {
    private let proc: HostProc
    private let isCutOff: Bool
    private(set) var denials: [Denial] = []
    private static let limit = 256

    /// The calls that are looked at beside those that are refused.
    static var names: [String] {
        ObservedCall.all(withLooks: true).map(\.name) + ObservedCall.sockets.map(\.name)
    }

    /// `isCutOff` tells whether the jail has a network that leads nowhere.
    init(in proc: HostProc, isCutOff: Bool) { (self.proc, self.isCutOff) = (proc, isCutOff) }

    /// A call that the filter answers with an errno.
    mutating func refuse(_ call: String, isAbsent: Bool, thread: Int32) {
        add(isAbsent ? .absent : .refused, call, call, thread, "seccomp.allow = [\"\(call)\"]")
    }

    /// A call that will be made.
    mutating func look(_ question: Question, _ name: String) {
        if let call = ObservedCall.all(withLooks: true).first(where: { $0.name == name }) {
            for operand in call.operands { look(operand, question, name) }
        } else if let call = ObservedCall.sockets.first(where: { $0.name == name }), name != "bind" {
            let length = Int(min(question.arguments[call.length] & 0xffff_ffff, 128))
            let memory = ThreadMemory(question.thread, in: proc)
            switch memory.read(question.arguments[call.address], upTo: length).flatMap(SocketAddress.init) {
            case .inet(let host, let port)? where isCutOff && !host.hasPrefix("127.") && host != "[::1]":
                add(.network, "\(host):\(port)", name, question.thread, "network.mode = \"host\"")
            case .path(let bytes)?: missing(memory.absolute(String(escaping: bytes), from: "cwd"), question, name)
            default: break
            }
        }
    }

    private mutating func look(_ operand: ObservedCall.Operand, _ question: Question, _ name: String) {
        let memory = ThreadMemory(question.thread, in: proc)
        guard let text = memory.path(question.arguments[operand.path]), !text.isEmpty else { return }
        let start = operand.directory.map { Int32(truncatingIfNeeded: question.arguments[$0]) } ?? -1
        guard let path = memory.absolute(text, from: start >= 0 ? "fd/\(start)" : "cwd") else { return }
        let opens = memory.flags(operand.use, question)
        switch operand.use {
        case .open, .openBehind:
            if opens.creates, !memory.stands(path) { return changes(parent(of: path), question, name) }
            if opens.writes { return changes(path, question, name) }
            missing(path, question, name)
        case .make, .makeDirectory, .remove: changes(parent(of: path), question, name)
        case .modify: changes(path, question, name)
        case .enter, .execute, .look: missing(path, question, name)
        }
    }

    /// What is to be changed must be there, and on a mount that is not read-only.
    private mutating func changes(_ path: String, _ question: Question, _ name: String) {
        guard let isReadOnly = ThreadMemory(question.thread, in: proc).isReadOnly(path) else {
            return missing(path, question, name)
        }
        if isReadOnly { add(.readOnly, path, name, question.thread, "filesystem.rw = [\(Self.written(path))]") }
    }

    private mutating func missing(_ path: String?, _ question: Question, _ name: String) {
        guard let path, !path.hasPrefix("/proc/"), !ThreadMemory(question.thread, in: proc).stands(path) else { return }
        do throws(KernelError) {
            let key = try status(ofPath: path).isDevice ? "devices" : "ro"
            add(.missing, path, name, question.thread, "filesystem.\(key) = [\(Self.written(path))]")
        } catch {
            return  // it is not there outside either
        }
    }

    private mutating func add(_ kind: Denial.Kind, _ subject: String, _ call: String, _ thread: Int32, _ line: String) {
        // What comes again counts as the last.
        denials.removeAll { $0.kind == kind && $0.subject == subject }
        guard denials.count < Self.limit else { return }
        var program = "a program"
        do throws(KernelError) {
            program = try RefusedProcess(thread: thread, in: proc).program
        } catch {
            return  // whoever made it is gone
        }
        denials.append(Denial(kind: kind, subject: subject, call: call, program: program, line: line))
    }

    private func parent(of path: String) -> String {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func written(_ path: String) -> String {
        "\"" + path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

/// A thread of the jail that waits: its memory, and its files.
private struct ThreadMemory {
    private let thread: Int32
    private let proc: HostProc

    init(_ thread: Int32, in proc: HostProc) { (self.thread, self.proc) = (thread, proc) }

    /// proc_pid_mem(5); nil where that may not be read.
    func read(_ address: UInt64, upTo count: Int) -> [UInt8]? {
        guard address != 0, let place = Int64(exactly: address) else { return nil }
        do throws(KernelError) {
            let file = try open("\(thread)/mem", at: proc.descriptor, .read)
            return try readBytes(file.number, at: place, upTo: count)
        } catch {
            return nil
        }
    }

    func path(_ address: UInt64) -> String? {
        guard let bytes = read(address, upTo: 4096), let end = bytes.firstIndex(of: 0) else { return nil }
        return String(escaping: Array(bytes[..<end]))
    }

    func flags(_ use: ObservedCall.Use, _ question: Question) -> OpenFlags {
        switch use {
        case .open(let index): index < 0 ? .creat : OpenFlags(question.arguments[index])
        case .openBehind(let index):
            OpenFlags((read(question.arguments[index], upTo: 8) ?? []).reversed().reduce(0) { $0 << 8 | UInt64($1) })
        default: OpenFlags(0)
        }
    }

    /// The path from the jail's root, where `start` is `cwd` or `fd/N`.
    func absolute(_ text: String, from start: String) -> String? {
        if text.utf8.first == UInt8(ascii: "/") { return text }
        do throws(KernelError) {
            let base = try readLink("\(thread)/\(start)", at: proc.descriptor)
            return base.utf8.first == UInt8(ascii: "/") ? (base == "/" ? "" : base) + "/" + text : nil
        } catch {
            return nil
        }
    }

    /// Whether it is there in the jail; true where that cannot be said.
    func stands(_ path: String) -> Bool {
        do throws(KernelError) {
            _ = try reach(path)
            return true
        } catch {
            return error.errno != .noEntry && error.errno != .notDirectory
        }
    }

    /// Whether what is there is on a read-only mount; nil where nothing is there.
    func isReadOnly(_ path: String) -> Bool? {
        do throws(KernelError) {
            let file = try reach(path)
            return try heldAttributes(of: file.number).hasAll(of: .readOnly)
        } catch {
            return error.errno == .noEntry || error.errno == .notDirectory ? nil : false
        }
    }

    private func reach(_ path: String) throws(KernelError) -> Descriptor {
        let root = try open("\(thread)/root", at: proc.descriptor, .path | .directory)
        return try openInside(root.number, path)
    }
}
