import CLinux
package import Kernel

/// A directory of a test's own, removed with all that is in it.
package final class Scratch: Sendable {
    package let path: String

    package init() throws {
        var template = Array("/tmp/immure-scratch.XXXXXX".utf8CString)
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
    package func opened() throws -> Descriptor { try Kernel.open(path, [.path, .directory]) }

    package func directory(_ name: String) throws {
        try makeDirectory("\(path)/\(name)", at: currentDirectory, permissions: 0o755)
    }

    package func link(_ name: String, to target: String) throws {
        try makeSymlink("\(path)/\(name)", to: target, at: currentDirectory)
    }

    /// Writes a file, in place of what it held before, and gives its path.
    @discardableResult package func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = try Kernel.open("\(path)/\(name)", [.write, .create, .truncate], permissions: 0o600)
        try writeAll(file.number, bytes)
        return "\(path)/\(name)"
    }

    @discardableResult package func file(_ name: String, _ text: String = "") throws -> String {
        try file(name, Array(text.utf8))
    }
}
