import Kernel

/// What a cgroup counted of its jail, read when nobody is in it any more; nil where the controller was not enabled.
package struct Tally: Sendable {
    /// Processes that the kernel killed because memory had run out, here or in a group above.
    package var killed = 0
    /// How often a process of the jail could not go on at memory.max.
    package var outOfMemory = 0
    /// memory.peak, in bytes; Linux 5.19.
    package var peakMemory: Int?
    package var peakSwap: Int?
    /// Forks that pids.max refused.
    package var refusedProcesses: Int?
    package var peakProcesses: Int?
    package var userMicroseconds: Int?
    package var systemMicroseconds: Int?
    /// For how long cpu.max held the jail back.
    package var throttledMicroseconds: Int?
    package var readBytes: Int?
    package var writtenBytes: Int?
    /// For how long all of the jail waited for I/O, io.pressure; kernels with CONFIG_PSI.
    package var stalledMicroseconds: Int?

    /// Reads the files of a group that is still there.
    init(of directory: Int32) {
        let memory = Flat("memory.events", at: directory)
        // Where a whole group is killed, the process that was chosen first is counted twice (mm/oom_kill.c).
        killed = (memory["oom_kill"] ?? 0) - (memory["oom_group_kill"] ?? 0)
        outOfMemory = memory["oom"] ?? 0
        peakMemory = Self.number("memory.peak", at: directory)
        peakSwap = Self.number("memory.swap.peak", at: directory)
        refusedProcesses = Flat("pids.events", at: directory)["max"]
        peakProcesses = Self.number("pids.peak", at: directory)
        let cpu = Flat("cpu.stat", at: directory)
        userMicroseconds = cpu["user_usec"]
        systemMicroseconds = cpu["system_usec"]
        throttledMicroseconds = cpu["throttled_usec"]
        let devices = Self.lines("io.stat", at: directory)
        if let devices {
            readBytes = Self.sum("rbytes=", of: devices)
            writtenBytes = Self.sum("wbytes=", of: devices)
            let pressure = Self.lines("io.pressure", at: directory)
            stalledMicroseconds = pressure?.first { $0.hasPrefix("full ") }.map { Self.sum("total=", of: [$0]) }
        }
        // Before Linux 6.11 the fork that failed was counted where the process stood, which may be the group inside.
        if refusedProcesses == 0 {
            let inner = Flat("\(Leaf.innerName)/pids.events", at: directory)["max"]
            if let inner { refusedProcesses = inner }
        }
    }

    private static func number(_ file: String, at directory: Int32) -> Int? {
        lines(file, at: directory)?.first.flatMap { decimal($0) }
    }

    /// nil where there is no such file.
    fileprivate static func lines(_ file: String, at directory: Int32) -> [String]? {
        do throws(KernelError) {
            return Kernel.lines(Array(try readText(file, at: directory).utf8))
        } catch {
            return nil
        }
    }

    /// The sum of `KEY=NUMBER` over all lines.
    private static func sum(_ key: String, of lines: [String]) -> Int {
        var result = 0
        for line in lines {
            for word in words(Array(line.utf8)) where word.hasPrefix(key) {
                result += decimal(String(word.dropFirst(key.utf8.count))) ?? 0
            }
        }
        return result
    }
}

/// A file of `KEY NUMBER` lines.
private struct Flat {
    private let words: [String]

    init(_ file: String, at directory: Int32) {
        do throws(KernelError) {
            words = Kernel.words(try Kernel.readBytes(file, at: directory))
        } catch {
            words = []
        }
    }

    subscript(key: String) -> Int? {
        var index = 0
        while index + 1 < words.count {
            if words[index] == key { return decimal(words[index + 1]) }
            index += 2
        }
        return nil
    }
}
