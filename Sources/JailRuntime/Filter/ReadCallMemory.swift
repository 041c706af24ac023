import Kernel
import SystemCallFilter

extension Listener {
    /// A call in words, with the paths and addresses that its arguments lead to now: the program may change them before the
    /// kernel reads them, so that they are told, and decide nothing.
    func words(of question: Question) -> (name: String, arguments: [String]) {
        let memory = CallMemory { proc.memory(of: question.thread, at: $0, upTo: $1) }
        let found = CallWords.call(
            number: question.number, architecture: question.architecture, arguments: question.arguments, memory: memory)
        // Only now is it certain that what was read is the memory of the thread that waits.
        if isPending(question, on: descriptor) { return found }
        return CallWords.call(
            number: question.number, architecture: question.architecture, arguments: question.arguments)
    }
}

extension HostProc {
    /// What stands in a thread's memory, `count` bytes at most: proc_pid_mem(5); nil where that cannot be read.
    func memory(of thread: Int32, at address: UInt64, upTo count: Int) -> [UInt8]? {
        guard let place = Int64(exactly: address) else { return nil }
        do throws(KernelError) {
            let file = try open("\(thread)/mem", at: descriptor, .read)
            return try readBytes(file.number, at: place, upTo: count)
        } catch {
            return nil
        }
    }
}
