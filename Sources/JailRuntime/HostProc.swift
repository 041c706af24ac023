import Kernel

/// The host's procfs, opened before anything of the jail exists and checked by its magic: a file that a tree to be
/// jailed in planted at /proc is never written to for it.
struct HostProc {
    private let descriptor: Int32

    /// Opens and checks /proc; the descriptor lives until exec closes it.
    init() throws(Failure) {
        let opened = try failing { () throws(KernelError) in try open("/proc", [.path, .directory]) }
        guard try failing({ () throws(KernelError) in try fileSystemMagic(of: opened.number) }) == FileSystemMagic.proc
        else { throw Failure(.notProcfs, text: "/proc") }
        descriptor = opened.release()
    }

    /// Writes to a file below /proc.
    func write(_ text: String, to path: String) throws(Failure) {
        try failing { () throws(KernelError) in
            do throws(KernelError) {
                try writeText(text, to: path, at: descriptor)
            } catch {
                throw KernelError(error.call, error.errno, path: "/proc/" + path)
            }
        }
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
