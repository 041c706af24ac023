import Kernel
import LinuxFacts
import SystemCallFilter

/// A call in words, with the paths and addresses that its arguments lead to now: the program may change them before the kernel reads
/// them, so that they are told, and decide nothing. They are read by another process, which may be kept waiting for them.
struct CallReader {
    private var looking: LookingProcess
    private let listener: Int32

    init(in proc: HostProc, _ listener: Int32) throws(KernelError) {
        self.listener = listener
        looking = try LookingProcess(keeping: proc) { message in
            guard let question = Question(message) else { return [0] }
            let memory = CallMemory { proc.memory(of: question.thread, at: $0, upTo: $1) }
            let words = CallWords.call(
                number: question.number, architecture: question.architecture, arguments: question.arguments,
                memory: memory)
            // No argument has a byte 0 in it.
            return Array(([words.name] + words.arguments).map { Array($0.utf8) }.joined(separator: [0]))
        }
    }

    typealias Words = (name: String, arguments: [String])

    /// Without what is in memory.
    static func plain(_ question: Question) -> Words {
        CallWords.call(
            number: question.number, architecture: question.architecture, arguments: question.arguments)
    }

    mutating func ask(_ question: Question) -> Bool { looking.ask(question.bytes, about: "") }

    /// nil where there is time left.
    mutating func hear(_ found: Watch, of question: Question) -> Words? {
        switch looking.hear(found) {
        case .none: return nil
        case .gaveUp: return Self.plain(question)
        case .bytes(let bytes):
            // Only now is it certain that what was read is the memory of the thread that waits.
            guard isPending(question, on: listener) else { return Self.plain(question) }
            let fields = bytes.split(separator: 0, omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
            return (fields[0], Array(fields[1...]))
        }
    }

    var watch: Watch { looking.watch }
    var deadline: Int? { looking.deadline }
    mutating func end() { looking.end() }
}

extension HostProc {
    /// What stands in a thread's memory, `count` bytes at most; nil where that cannot be read.
    func memory(of thread: Int32, at address: UInt64, upTo count: Int) -> [UInt8]? {
        if case .text(let bytes) = bytes(of: thread, at: address, upTo: count) { bytes } else { nil }
    }

    /// What reading from a thread's memory has come to.
    enum MemoryText<Text> {
        case text(Text)
        /// There is none: the call fails with EFAULT or ENAMETOOLONG.
        case none
        /// The thread's memory is closed to the caller.
        case closed
    }

    /// `count` bytes at most that stand there.
    func bytes(of thread: Int32, at address: UInt64, upTo count: Int) -> MemoryText<[UInt8]> {
        do throws(KernelError) {
            return .text(try readMemory(of: thread, at: address, upTo: count))
        } catch {
            guard error.isRefused else { return .none }
            return memoryFile(of: thread, at: address, upTo: count).map { .text($0) } ?? .closed
        }
    }

    /// The path that stands there.
    func text(of thread: Int32, at address: UInt64) -> MemoryText<String> {
        if address == 0 { return .none }
        do throws(KernelError) {
            return .text(String(escaping: try readMemoryText(of: thread, at: address, limit: Self.longest)))
        } catch {
            guard error.isRefused else { return .none }
            guard let bytes = memoryFile(of: thread, at: address, upTo: Self.longest) else { return .closed }
            return bytes.firstIndex(of: 0).map { .text(String(escaping: Array(bytes[..<$0]))) } ?? .none
        }
    }

    /// PATH_MAX.
    private static let longest = 4096

    /// By proc_pid_mem(5), which is there where a filter of the caller's own refuses process_vm_readv(2).
    private func memoryFile(of thread: Int32, at address: UInt64, upTo count: Int) -> [UInt8]? {
        guard let place = Int64(exactly: address) else { return nil }
        do throws(KernelError) {
            let file = try open("\(thread)/mem", at: descriptor, .read)
            return try readBytes(file.number, at: place, upTo: count)
        } catch {
            return nil
        }
    }
}

extension KernelError {
    /// Whether it says nothing of what is there, only that the caller may not look.
    fileprivate var isRefused: Bool { errno == .notPermitted || errno == .unsupported }
}
