import Kernel

extension HelperOrder {
    /// Runs the program to its end, for what it writes on standard output, of which there may be `limit` bytes; nil where its status is
    /// not 0.
    func output(
        noticing signals: SignalQueue?, limit: Int, tableSize: () -> Int32
    ) throws(Failure) -> String? {
        let file = try failing { () throws(KernelError) in try makeMemoryFile("output", []).release() }
        defer { closeDescriptor(file) }
        var order = self
        order.output = file
        var helper = try HelperProcess.start(order, tableSize: tableSize)
        guard try helper.finish(noticing: signals) == .exited(0) else { return nil }
        return try failing { () throws(KernelError) in
            let written = try open("/proc/self/fd/\(file)", .read)
            return String(decoding: try readAll(written.number, limit: limit), as: UTF8.self)
        }
    }
}
