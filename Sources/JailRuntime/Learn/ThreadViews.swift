import JailLearn
import Kernel
import SpecFile

/// Where the paths of watched threads lead: each starts at the thread's own directory and root, among its own mounts.
struct ThreadViews {
    private let proc: HostProc
    /// The current directory of the thread that asked last, until nothing has been asked for a moment: its id may come to be
    /// another's.
    private var current: (thread: Int32, path: String)?
    /// Threads that have been let change where paths lead, which others may share, and have not called since; whether more than their
    /// directory.
    private var moving: [Int32: Bool] = [:]
    /// Whether a thread may have another root, other mounts or another network than the observer.
    private var mayDiffer = false
    /// In milliseconds: far less than it takes to use up all ids of processes.
    static let moment: Int32 = 10

    init(in proc: HostProc) { self.proc = proc }

    /// What a thread sees.
    enum View {
        /// What the observer sees.
        case own
        /// What is below another root or among other mounts: the root, opened, and where that is.
        case other(Int32, path: String)
    }

    // MARK: What is heard

    /// A thread asks, and so whatever it was let do before is done: whether what has been looked up meanwhile may be wrong.
    mutating func hear(of thread: Int32) -> Bool {
        if moving.isEmpty { return false }
        return moving.removeValue(forKey: thread) ?? false
    }

    /// Notes what a thread is about to be let do.
    mutating func note(_ move: ObservedCall.Move, of thread: Int32) {
        current = nil
        switch move {
        case .directory: moving[thread] = false
        case .mounts: moving[thread] = true
        case .world: (moving[thread], mayDiffer) = (true, true)
        }
    }

    /// Forgets what has been looked up, for a directory may have another name.
    mutating func forget() { current = nil }

    /// Whether there is anything to forget.
    var remembers: Bool { current != nil }

    // MARK: Looking

    /// The directory that a relative path starts from, as this process names it.
    mutating func directory(of operand: ObservedCall.Operand, _ question: Question) -> String? {
        if let index = operand.directory {
            let number = Int32(truncatingIfNeeded: question.arguments[index])
            if number >= 0 { return link("\(question.thread)/fd/\(number)") }
        }
        if let current, current.thread == question.thread { return current.path }
        guard let path = link("\(question.thread)/cwd") else { return nil }
        current = moving.isEmpty ? (question.thread, path) : nil
        return path
    }

    private func link(_ path: String) -> String? {
        do throws(KernelError) {
            let path = try readLink(path, at: proc.descriptor)
            return path.utf8.first == UInt8(ascii: "/") ? path : nil
        } catch {
            return nil
        }
    }

    /// Calls with what the thread sees; nil where that cannot be told.
    func view<Result>(of thread: Int32, _ body: (View) -> Result) -> Result? {
        guard mayDiffer else { return body(.own) }
        do throws(KernelError) {
            let path = try readLink("\(thread)/root", at: proc.descriptor)
            if path == "/", try hasOwn("mnt", thread) { return body(.own) }
            let root = try open("\(thread)/root", at: proc.descriptor, .path | .directory)
            return body(.other(root.number, path: path))
        } catch {
            return nil
        }
    }

    /// Whether the addresses of a thread are those of the observer's network.
    func sharesNetwork(_ thread: Int32) -> Bool {
        guard mayDiffer else { return true }
        do throws(KernelError) {
            return try hasOwn("net", thread)
        } catch {
            return false
        }
    }

    /// Whether a namespace of a thread is the observer's; its link says which it is, namespaces(7).
    private func hasOwn(_ namespace: String, _ thread: Int32) throws(KernelError) -> Bool {
        try readLink("\(thread)/ns/\(namespace)", at: proc.descriptor)
            == readLink("self/ns/\(namespace)", at: proc.descriptor)
    }
}
