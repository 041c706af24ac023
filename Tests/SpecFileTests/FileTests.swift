import Glibc
import SpecFile
import TestSupport
import Testing

@Suite struct FileTests {
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
                #expect(fault?.message.contains(reason) == true, "\(String(describing: fault))")
            }
            #expect(time < .seconds(10))
        }
    }

    @Test func aMegabyteIsReadAndMoreIsNot() throws {
        let scratch = try Scratch()
        let line = Array(("#" + String(repeating: "x", count: 1022) + "\n").utf8)
        let full = Array(repeating: line, count: 1024).flatMap { $0 }
        #expect(try Document.load(path: scratch.file("full", full), in: surroundings).root == Table())
        #expect(try failure(scratch.file("over", full + [10]))?.message.contains("larger than 1 MiB") == true)
    }

    @Test func theEmptySpecNeedsNoFile() throws {
        #expect(try Document.load(path: nil, in: surroundings) == Document(root: Table(), files: []))
        let scratch = try Scratch()
        #expect(try Document.load(path: scratch.file("e", ""), in: surroundings).root == Table())
    }

    @Test func factsOfTheFile() throws {
        let scratch = try Scratch()
        let file = try scratch.file("a", "x = 1")
        unsafe chmod(file, 0o664)
        unsafe symlink("a", scratch.path + "/link")
        let plain = try Document.load(path: file, in: surroundings).files
        #expect(plain == [SourceFile(path: file, owner: getuid(), mode: 0o664, isSymlink: false)])
        let link = try Document.load(path: scratch.path + "/link", in: surroundings).files
        #expect(link == [SourceFile(path: scratch.path + "/link", owner: getuid(), mode: 0o664, isSymlink: true)])
    }

    @Test func trust() {
        func faults(_ owner: UInt32, _ mode: UInt32, _ link: Bool, by uid: UInt32) -> [String] {
            let file = SourceFile(path: "s", owner: owner, mode: mode, isSymlink: link)
            return Document(root: Table(), files: [file]).trustFaults(callerUID: uid).map(\.message)
        }
        #expect(faults(0, 0o644, false, by: 0) == [])
        #expect(faults(0, 0o664, false, by: 0) == ["the spec may be written by its group (mode 0664)"])
        #expect(faults(0, 0o666, false, by: 0) == ["the spec may be written by everyone (mode 0666)"])
        #expect(faults(0, 0o777, true, by: 0).count == 2)
        #expect(faults(1000, 0o600, false, by: 0) == ["the spec belongs to uid 1000, neither root nor the caller"])
        #expect(faults(1000, 0o664, true, by: 1001) == [])
        #expect(faults(1000, 0o666, true, by: 1000) == ["the spec may be written by everyone (mode 0666)"])
    }
}
