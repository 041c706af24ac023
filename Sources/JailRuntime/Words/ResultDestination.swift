package import JailPlan
import Kernel
package import SpecFile

/// Where `--result` goes: opened before anything runs, written when the jail has ended.
package struct ResultDestination {
    /// What the command must not get.
    package let descriptor: Int32
    private let name: String

    /// `FD:n`, or the path of a regular file, which is made or emptied; a symbolic link is not followed.
    package init(_ written: String) throws(Diagnostic) {
        name = written
        if written.hasPrefix("FD:") {
            descriptor = try Self.number(written)
        } else {
            descriptor = try Self.open(written)
        }
    }

    private static func number(_ written: String) throws(Diagnostic) -> Int32 {
        let digits = written.dropFirst(3)
        let isNumber =
            !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isNumber, let number = Int32(digits) else {
            throw Diagnostic(
                "--result \(quoted(written)): not a descriptor", at: nil,
                hint: "write FD:3; a file of that name is ./\(written)")
        }
        guard isOpen(number) else {
            throw Diagnostic(
                "--result \(written): the descriptor is not open", at: nil, hint: "open it: \(number)>result.json")
        }
        guard isWritable(number) else {
            throw Diagnostic("--result \(written): the descriptor is not open for writing", at: nil)
        }
        return number
    }

    private static func open(_ path: String) throws(Diagnostic) -> Int32 {
        do throws(KernelError) {
            guard !path.isEmpty, !path.utf8.contains(0) else { throw KernelError(.open, .noEntry) }
            // Non-blocking: a FIFO without a reader answers ENXIO instead of waiting for one.
            let file = try Kernel.open(
                path, .write | .create | .truncate | .noFollow | .nonBlocking | .noTerminal, permissions: 0o644)
            guard try status(of: file.number).isRegular else {
                throw KernelError(.open, .noSuchDeviceOrAddress)
            }
            return file.release()
        } catch {
            let reason =
                switch error.errno {
                case .loop: "a symbolic link, which is not followed"
                case .noSuchDeviceOrAddress: "not a regular file"
                default: "\(error.call.name): \(error.errno.name) \(error.errno.words)"
                }
            throw Diagnostic("--result \(quoted(path)): \(reason)", at: nil)
        }
    }

    /// Writes the one object with a line break after it.
    package func write(_ result: JSON) throws(Diagnostic) {
        do throws(KernelError) {
            try writeAll(descriptor, Array((result.text + "\n").utf8))
        } catch {
            throw Diagnostic("--result \(quoted(name)): write: \(error.errno.name) \(error.errno.words)", at: nil)
        }
    }
}
