import CLinux
import Kernel
import TestSupport
import Testing

@Suite struct FileTests {
    @Test func openReadAndWrite() throws {
        let scratch = try Scratch()
        try scratch.file("a", "text\n")
        #expect(try readText(scratch.path + "/a") == "text\n")
        let directory = try scratch.opened()
        #expect(try readText("a", at: directory.number) == "text\n")
        do {
            let file = try Kernel.open("a", at: directory.number, [.write, .append])
            try writeAll(file.number, Array("more".utf8))
        }
        #expect(try readText("a", at: directory.number) == "text\nmore")
        try writeText("T", to: "a", at: directory.number)
        #expect(try readText("a", at: directory.number) == "Text\nmore")
    }

    @Test func everyOpenIsCloseOnExec() throws {
        let file = try Kernel.open("/dev/null", [.read])
        #expect(linux_fcntl(file.number, F_GETFD, 0) == FD_CLOEXEC)
        let copy = Descriptor(owning: try duplicate(file.number, above: 100))
        #expect(copy.number >= 100 && linux_fcntl(copy.number, F_GETFD, 0) == FD_CLOEXEC)
        try keepAcrossExec(copy.number)
        #expect(linux_fcntl(copy.number, F_GETFD, 0) == 0)
    }

    @Test func aDescriptorIsReleasedOnce() throws {
        let number = try Kernel.open("/dev/null", [.read]).release()
        #expect(isOpen(number))
        closeDescriptor(number)
        #expect(!isOpen(-1) && !isOpen(1 << 20))
    }

    @Test func errorsNameCallErrnoAndPath() throws {
        do throws(KernelError) {
            _ = try Kernel.open("/no/such/file", [.read])
            Issue.record("opened")
        } catch {
            #expect(error.call.name == "openat" && error.errno == .noEntry && error.path == "/no/such/file")
        }
        #expect(errno { () throws(KernelError) in _ = try Kernel.open("/dev/null", [.read, .directory]) } == "ENOTDIR")
        #expect(errno { () throws(KernelError) in _ = try Kernel.open("/tmp", [.write]) } == "EISDIR")
        #expect(
            errno { () throws(KernelError) in try makeDirectory("/tmp", at: currentDirectory, permissions: 0) }
                == "EEXIST")
    }

    /// What is not a regular file could block for ever, or never end.
    @Test func onlyRegularFilesAreReadAsText() throws {
        let scratch = try Scratch()
        #expect(unsafe mkfifo(scratch.path + "/fifo", 0o600) == 0)
        for path in [scratch.path + "/fifo", "/dev/zero", "/tmp"] {
            #expect(errno { () throws(KernelError) in _ = try readText(path) } == "EINVAL", "\(path)")
        }
        #expect(try readText("/proc/self/stat").isEmpty == false)
    }

    @Test func moreThanTheLimitIsAnErrorNotATruncatedAnswer() throws {
        let scratch = try Scratch()
        try scratch.file("a", String(repeating: "x", count: 40_000))
        for (limit, fault) in [(40_000, String?.none), (39_999, "EFBIG"), (0, "EFBIG")] {
            let file = try Kernel.open(scratch.path + "/a", [.read])
            let found = errno { () throws(KernelError) in
                let count = try readAll(file.number, limit: limit).count
                #expect(count == 40_000)
            }
            #expect(found == fault)
        }
    }

    @Test func entriesAreAllButTheTwoDots() throws {
        let scratch = try Scratch()
        let names = ["a", ".b", "c d", String(repeating: "x", count: 255)]
        for name in names { try scratch.file(name) }
        try scratch.link("l", to: "nowhere")
        let directory = try scratch.opened()
        #expect(try entries(of: directory.number).sorted() == (names + ["l"]).sorted())
    }

    @Test func links() throws {
        let scratch = try Scratch()
        let long = String(repeating: "x/", count: 2000)
        for (name, target) in [("a", "/abs"), ("b", "../rel"), ("c", long)] { try scratch.link(name, to: target) }
        #expect(try readLink(scratch.path + "/a") == "/abs" && readLink(scratch.path + "/b") == "../rel")
        #expect(try readLink(scratch.path + "/c") == long)
        let opened = try Kernel.open(scratch.path + "/b", [.path, .noFollow])
        #expect(try readLink("", at: opened.number) == "../rel")
        #expect(errno { () throws(KernelError) in _ = try readLink(scratch.path) } == "EINVAL")
    }

    @Test func statusTellsKinds() throws {
        let scratch = try Scratch()
        try scratch.directory("d")
        try scratch.file("f")
        try scratch.link("l", to: "d")
        func kind(_ path: String) throws -> FileStatus.Kind {
            let file = try Kernel.open(path, [.path, .noFollow])
            return try status(of: file.number).kind
        }
        #expect(try kind(scratch.path + "/d") == .directory)
        #expect(try kind(scratch.path + "/f") == .regular)
        #expect(try kind(scratch.path + "/l") == .symlink)
        let null = try Kernel.open("/dev/null", [.path])
        let device = try status(of: null.number)
        #expect(device.kind == .characterDevice && device.device == (1, 3))
        let file = try Kernel.open(scratch.path + "/f", [.read])
        try setPermissions(file.number, 0o4751)
        #expect(try status(of: file.number).permissions == 0o4751)
        let proc = try Kernel.open("/proc", [.path])
        #expect(try fileSystemMagic(of: proc.number) == FileSystemMagic.proc)
    }

    @Test func writability() throws {
        let scratch = try Scratch()
        try scratch.file("f")
        for (mode, expected) in [(OpenMode.read, false), (.write, true), (.readWrite, true), (.path, false)] {
            let file = try Kernel.open(scratch.path + "/f", mode)
            #expect(isWritable(file.number) == expected)
        }
        #expect(!isWritable(-1))
    }
}
