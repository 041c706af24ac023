import CLinux
import Kernel

/// A directory of a test's own, removed with all that is in it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/kernel-tests.XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw KernelError(.mkdirat, .invalid) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        if unsafe unlink(path) == 0 { return }
        do throws(KernelError) {
            let directory = try Kernel.open(path, [.read, .directory, .noFollow])
            for name in try entries(of: directory.number) { remove("\(path)/\(name)") }
        } catch {
            return
        }
        unsafe rmdir(path)
    }

    /// Opens the directory itself.
    func opened() throws -> Descriptor { try Kernel.open(path, [.path, .directory]) }

    func directory(_ name: String) throws {
        try makeDirectory("\(path)/\(name)", at: currentDirectory, permissions: 0o755)
    }

    func link(_ name: String, to target: String) throws {
        try makeSymlink("\(path)/\(name)", to: target, at: currentDirectory)
    }

    func file(_ name: String, _ text: String = "") throws {
        let file = try Kernel.open("\(path)/\(name)", [.write, .create, .exclusive], permissions: 0o644)
        try writeAll(file.number, Array(text.utf8))
    }
}

/// What a file is, whatever its name: device and inode; what is closed is equal to nothing.
func inode(of descriptor: Int32) -> String {
    var result = stat()
    guard unsafe fstat(descriptor, &result) == 0 else { return "closed \(UInt64.random(in: 0...UInt64.max))" }
    return "\(result.st_dev):\(result.st_ino)"
}

/// The errno of what a body throws; nil where it succeeds.
func errno(_ body: () throws(KernelError) -> Void) -> String? {
    do throws(KernelError) {
        try body()
        return nil
    } catch {
        return error.errno.name
    }
}
