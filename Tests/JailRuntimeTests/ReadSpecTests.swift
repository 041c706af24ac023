import Glibc
import JailRuntime
import SpecFile
import TestSupport
import Testing

/// The reader of specs, on files that are hostile and files that are not.
@Suite struct ReadSpecTests {
    @Test func whatIsNoSpecFile() throws {
        let scratch = try Scratch()
        unsafe mkfifo(scratch.path + "/fifo", 0o600)
        unsafe symlink("loop", scratch.path + "/loop")
        unsafe truncate(try scratch.file("large", ""), 64 << 20)
        let wrong: [(String, String)] = [
            (scratch.path, "a directory"), (scratch.path + "/fifo", "not a regular file"),
            ("/dev/zero", "not a regular file"), ("/dev/null", "not a regular file"),
            (scratch.path + "/large", "larger than 1 MiB"), (scratch.path + "/absent", "ENOENT no such file"),
            (scratch.path + "/loop", "ELOOP"), (scratch.path + "/large/x", "ENOTDIR"), ("", "ENOENT"),
            (scratch.path + "/" + String(repeating: "a", count: 256), "ENAMETOOLONG"),
            ("/" + String(repeating: "a/", count: 2100), "ENAMETOOLONG"),
        ]
        let clock = ContinuousClock()
        for (path, reason) in wrong {
            let time = clock.measure {
                let fault = failure(path)
                #expect(fault?.message.hasPrefix(reason) == true, "\(path): \(String(describing: fault))")
            }
            #expect(time < .seconds(10))
        }
    }

    @Test func aMegabyteIsReadAndMoreIsNot() throws {
        let scratch = try Scratch()
        let line = Array(("#" + String(repeating: "x", count: 1022) + "\n").utf8)
        let full = Array(repeating: line, count: 1024).flatMap { $0 }
        #expect(try Caller.readSpec(scratch.file("full", full)).bytes == full)
        #expect(try failure(scratch.file("over", full + [10]))?.message == "larger than 1 MiB")
    }

    @Test func factsOfTheFile() throws {
        let scratch = try Scratch()
        let file = try scratch.file("a", "x = 1")
        unsafe chmod(file, 0o664)
        unsafe symlink("a", scratch.path + "/link")
        let plain = try Caller.readSpec(file)
        #expect(plain.bytes == Array("x = 1".utf8))
        #expect(plain.owner == getuid() && plain.mode == 0o664 && !plain.isSymlink)
        let link = try Caller.readSpec(scratch.path + "/link")
        #expect(link.isSymlink && link.mode == 0o664 && (link.device, link.inode) == (plain.device, plain.inode))
    }

    /// st_size says 0 there.
    @Test func aFileOfProcfs() throws {
        #expect(try Caller.readSpec("/proc/self/status").bytes.starts(with: "Name:".utf8))
    }

    private func failure(_ path: String) -> Diagnostic? {
        do throws(Diagnostic) {
            _ = try Caller.readSpec(path)
            return nil
        } catch {
            return error
        }
    }
}
