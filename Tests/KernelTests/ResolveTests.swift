import Kernel
import TestSupport
import Testing

/// The two ways to a file inside a root, openat2 and the walk, hold to the same rules and give the same answers.
@Suite struct ResolveTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for name in ["a", "a/b", "a/b/c", "etc"] { try scratch.directory(name) }
        for name in ["a/f", "etc/passwd", "top"] { try scratch.file(name, name) }
        for (name, target) in [
            ("absolute", "/a/b"), ("relative", "a/b"), ("a/up", "../etc"), ("a/b/out", "../../../../../etc"),
            ("passwd", "/etc/passwd"), ("dangling", "/nowhere"), ("loop", "loop"), ("ping", "pong"), ("pong", "ping"),
            ("chain", "absolute/../f"), ("root", "/"), ("a/b/dots", "./.././f"), ("outside", "/../../../../tmp"),
            ("a/b/absolute", "/etc"),
        ] { try scratch.link(name, to: target) }
    }

    /// A path, and the path below the scratch directory that it must lead to; or the errno.
    static let rows: [(path: String, leadsTo: String)] = [
        ("", "ENOENT or /"), ("/", "/"), (".", "/"), ("..", "/"), ("/../..", "/"), ("a", "/a"), ("/a/b/c", "/a/b/c"),
        ("//a///b/./c/", "/a/b/c"), ("a/b/..", "/a"), ("a/../../../a", "/a"), ("absolute", "/a/b"),
        ("relative/c", "/a/b/c"),
        ("absolute/../f", "/a/f"), ("a/up/passwd", "/etc/passwd"), ("a/b/out/passwd", "/etc/passwd"),
        ("passwd", "/etc/passwd"), ("chain", "/a/f"), ("root/root/a", "/a"), ("a/b/dots", "/a/f"), ("root/..", "/"),
        ("a/b/absolute/passwd", "/etc/passwd"), ("a/b/absolute/..", "/"), ("dangling", "ENOENT"),
        ("dangling/x", "ENOENT"), ("nothing", "ENOENT"), ("nothing/..", "ENOENT"),
        ("loop", "ELOOP"), ("ping/x", "ELOOP"), ("top/x", "ENOTDIR"), ("outside", "ENOENT"),
        (String(repeating: "x", count: 256), "ENAMETOOLONG"),
    ]

    @Test(arguments: rows) func openInsideStaysInside(path: String, leadsTo: String) throws {
        let root = try scratch.opened()
        check(try resolve(path, below: root.number), leadsTo)
    }

    @Test(arguments: rows) func theWalkStaysInside(path: String, leadsTo: String) throws {
        let root = try scratch.opened()
        check(try walk(path, below: root.number), leadsTo)
    }

    private func check(_ found: String, _ leadsTo: String) {
        guard leadsTo.hasPrefix("/") else { return #expect(leadsTo.hasPrefix(found) || leadsTo.hasSuffix("/")) }
        do throws(KernelError) {
            let expected = try Kernel.open(scratch.path + leadsTo, [.path, .noFollow])
            #expect(found == inode(of: expected.number))
        } catch {
            Issue.record("\(leadsTo) is not there")
        }
    }

    /// The kernel's bound is 40, path_resolution(7).
    @Test(arguments: [(40, true), (41, false)]) func chainsOfLinks(count: Int, isFollowed: Bool) throws {
        let scratch = try Scratch()
        try scratch.file("0")
        for index in 1...count { try scratch.link("\(index)", to: "\(index - 1)") }
        let root = try scratch.opened()
        let (one, other) = (try resolve("\(count)", below: root.number), try walk("\(count)", below: root.number))
        #expect((one == "ELOOP") == !isFollowed && one == other)
    }

    /// Links of procfs that are no text lead out of every root.
    @Test func magicLinksAreRefused() throws {
        let root = try Kernel.open("/", [.path, .directory])
        let pipe = try makeChannel()
        defer {
            closeDescriptor(pipe.0)
            closeDescriptor(pipe.1)
        }
        for path in [
            "proc/self/fd/\(pipe.0)", "proc/self/fd/\(root.number)", "proc/self/root", "proc/self/cwd/x",
            "proc/self/exe",
        ] {
            #expect(try resolve(path, below: root.number) == "ELOOP", "\(path)")
        }
        // The walk knows a link by nothing but its text, and what has no path cannot be reached by one.
        #expect(try walk("proc/self/fd/\(pipe.0)", below: root.number) == "ENOENT")
    }

    /// `/proc/self/root` of a walk is the root of the walk.
    @Test func theWalkReadsMagicLinksAsText() throws {
        let inner = try Kernel.open("/proc", [.path, .directory])
        #expect(try walk("self/root", below: inner.number) == inode(of: inner.number))
    }

    @Test func aWalkSaysWhatIsMissing() throws {
        let root = try scratch.opened()
        var walk = Walk(root: root.number)
        #expect(try walk.descend("absolute/new/../deep/er") == ["new", "..", "deep", "er"])
        let there = try Kernel.open(scratch.path + "/a/b", [.path])
        #expect(inode(of: walk.top) == inode(of: there.number) && !walk.isAtRoot)
        var dangling = Walk(root: root.number)
        #expect(try dangling.descend("dangling/x") == ["nowhere", "x"] && dangling.isAtRoot)
        try dangling.enter("a")
        #expect(errno { () throws(KernelError) in try dangling.enter("missing") } == "ENOENT")
    }

    @Test(arguments: [
        ("", [String]()), ("/", []), ("///", []), (".", []), ("./.", []), ("a", ["a"]), ("/a/b/", ["a", "b"]),
        ("a//b", ["a", "b"]), ("a/./b", ["a", "b"]), ("a/../b", ["a", "..", "b"]), ("...", ["..."]),
        (".a/b.", [".a", "b."]),
        ("é/\u{65}\u{301}", ["é", "\u{65}\u{301}"]),
    ]) func componentsOfPaths(path: String, parts: [String]) {
        #expect(components(path).map { Array($0.utf8) } == parts.map { Array($0.utf8) })
    }

    /// Path_resolution(7): whatever a slash or a dot follows must be a directory.
    @Test(arguments: ["top/", "top/.", "top/..", "passwd/"]) func aFileIsNoDirectory(_ path: String) throws {
        let root = try scratch.opened()
        #expect(try resolve(path, below: root.number) == "ENOTDIR")
        let found = try walk(path, below: root.number)
        #expect(found == "ENOTDIR")
    }
}

/// What a path leads to by openat2: device and inode, or the errno.
func resolve(_ path: String, below root: Int32) throws -> String {
    do throws(KernelError) {
        // A name for it: a temporary would be closed before it is looked at.
        let found = try openInside(root, path)
        return inode(of: found.number)
    } catch {
        return error.errno.name
    }
}

/// The same by the walk.
func walk(_ path: String, below root: Int32) throws -> String {
    do throws(KernelError) {
        var walk = Walk(root: root)
        guard try walk.descend(path).isEmpty else { return "ENOENT" }
        let found = try walk.reached()
        return inode(of: found.number)
    } catch {
        return error.errno.name
    }
}
