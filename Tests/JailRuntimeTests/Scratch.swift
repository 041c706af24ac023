import Glibc
import SpecFile
import Testing

/// A directory of a test's own, removed with it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/specfile.XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Diagnostic("mkdtemp failed", at: nil) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names() { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }

    private func names() -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var result: [String] = []
        while let entry = unsafe readdir(directory) {
            result.append(
                unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                    unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
                })
        }
        return result.filter { $0 != "." && $0 != ".." }
    }

    /// Writes a file and gives its path.
    @discardableResult func write(_ name: String, _ bytes: [UInt8]) -> String {
        let file = "\(path)/\(name)"
        let fd = unsafe open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        var done = 0
        unsafe bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return }
            while done < raw.count {
                let n = unsafe Glibc.write(fd, base + done, raw.count - done)
                if n <= 0 { return }
                done += n
            }
        }
        close(fd)
        return file
    }

    @discardableResult func write(_ name: String, _ text: String) -> String { write(name, Array(text.utf8)) }
}
