import Kernel

/// The host's procfs, opened before anything of the jail exists and checked by its magic: a file that a tree to be
/// jailed in planted at /proc is never written to for it.
struct HostProc {
    let descriptor: Int32

    /// Opens and checks /proc; the descriptor lives until exec closes it.
    init() throws(Failure) {
        let opened = try failing { () throws(KernelError) in try open("/proc", .path | .directory) }
        guard try failing({ () throws(KernelError) in try fileSystemMagic(of: opened.number) }) == FileSystemMagic.proc
        else { throw Failure(.notProcfs, text: "/proc") }
        descriptor = opened.release()
    }

    /// Writes to a file below /proc, and reads what it says then: nobody else ever writes to one of these.
    func write(_ text: String, to path: String) throws(Failure) {
        let answer = try failing { () throws(KernelError) -> [UInt8]? in
            do throws(KernelError) {
                let file = try open(path, at: descriptor, (isVerified ? .readWrite : .write) | .noTerminal)
                let bytes = Array(text.utf8)
                try writeAll(file.number, bytes)
                return !isVerified || echoes(file.number, bytes) ? nil : try readRecord(file.number)
            } catch {
                throw KernelError(error.call, error.errno, path: "/proc/" + path)
            }
        }
        if let answer { try require(text, in: answer, path) }
    }

    /// The mounts of this process, a line each: proc_pid_mountinfo(5).
    func mountinfo() throws(KernelError) -> [UInt8] {
        let file = try open("self/mountinfo", at: descriptor, .read)
        return try readAll(file.number, limit: 1 << 26, path: "/proc/self/mountinfo")
    }

    /// Reads a file below /proc, which must say this.
    func check(_ text: String, in path: String) throws(Failure) {
        let answer = try failing { () throws(KernelError) in
            let file = try open(path, at: descriptor, .read)
            return try readRecord(file.number)
        }
        try require(text, in: answer, path)
    }

    private func require(_ text: String, in answer: [UInt8], _ path: String) throws(Failure) {
        guard !saysSame(Array(text.utf8), answer) else { return }
        let found = String(decoding: answer, as: UTF8.self).split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        let promised = text.split { $0 == "\n" }.joined(separator: ", ")
        throw Failure(.notInForce, text: "/proc/\(path): promised \(promised), the kernel says \(found)")
    }

    /// The size of this process's table of descriptors.
    func descriptorTableSize() -> Int32 {
        let unknown: Int32 = 1 << 20
        do throws(KernelError) {
            let status = try readText("self/status", at: descriptor)
            for line in status.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: "FDSize:".utf8) {
                let digits = line.drop { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                return Int32(String(decoding: digits, as: UTF8.self)) ?? unknown
            }
        } catch {
            return unknown
        }
        return unknown
    }
}

/// Whether two texts have the same words in the same order; or the same lines in another, as the kernel sorts an id map of
/// more than five.
func saysSame(_ wanted: [UInt8], _ answer: [UInt8]) -> Bool {
    if haveSameWords(wanted, answer) { return true }
    func sorted(_ text: [UInt8]) -> [[String]] {
        lines(text).map { words(Array($0.utf8)) }.sorted { $0.joined(separator: " ") < $1.joined(separator: " ") }
    }
    let (a, b) = (sorted(wanted), sorted(answer))
    return a.count > 1 && a == b
}
