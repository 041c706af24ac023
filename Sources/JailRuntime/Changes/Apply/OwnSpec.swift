import Kernel
package import SpecFile

/// The files that a spec is read from, and all that their names lead through: no jail of that spec may say what the next launch goes by.
package struct OwnSpec {
    private enum Part { case file, way }

    private var parts: [FileIdentity: Part] = [:]

    /// Of no spec: for what ends an earlier apply, which puts in nothing new.
    init() {}

    /// Looks at each name again, for the links and the directories on its way.
    package init(_ files: FilesRead) throws(Diagnostic) {
        for (path, identity) in files.all {
            do throws(KernelError) {
                try follow(path)
            } catch {
                throw Diagnostic(
                    "find the directory of \(path): \(error.call.name): \(error.errno.name) \(error.errno.words)",
                    at: nil)
            }
            parts[identity] = .file
        }
    }

    private mutating func follow(_ path: String) throws(KernelError) {
        var isAbsolute = path.utf8.first == UInt8(ascii: "/")
        var here = try open(isAbsolute ? "/" : ".", .path | .directory)
        if !isAbsolute { try climb(from: here.number) }
        var pending = Array(components(path).reversed())
        var links = 0
        while let name = pending.popLast() {
            let next = try open(name, at: here.number, .path | .noFollow)
            let found = try status(of: next.number)
            parts[found.identity] = .way
            guard found.isSymlink else {
                here = next
                continue
            }
            links += 1
            // path_resolution(7): the kernel's own bound.
            guard links <= 40 else { throw KernelError(.openat, .loop, path: path) }
            // A link of procfs need not be a path.
            if try fileSystemMagic(of: next.number) == FileSystemMagic.proc {
                here = try open(name, at: here.number, .path)
                parts[try status(of: here.number).identity] = .way
                continue
            }
            let text = try readLink("", at: next.number)
            isAbsolute = text.utf8.first == UInt8(ascii: "/")
            if isAbsolute { here = try open("/", .path | .directory) }
            pending += components(text).reversed()
        }
    }

    /// The directories above the current one, as far as the caller may look.
    private mutating func climb(from start: Int32) throws(KernelError) {
        var identity = try status(of: start).identity
        parts[identity] = .way
        var place = try open(".", at: start, .path | .directory)
        while true {
            do throws(KernelError) {
                place = try open("..", at: place.number, .path | .directory)
            } catch {
                guard error.errno == .accessDenied else { throw error }
                return
            }
            let above = try status(of: place.number).identity
            if above == identity { return }
            identity = above
            parts[identity] = .way
        }
    }

    /// Why a change stays where it is, whatever else is wanted.
    func objection(to change: Change) -> Objection? {
        guard let identity = change.mark?.identity, let part = parts[identity] else { return nil }
        switch (change.kind, part) {
        // What a directory holds is a change of its own.
        case (.content, .way) where change.lower?.kind == .directory: return nil
        case (.metadata, .way) where change.lower?.kind == .directory: return nil
        case (.added, _): return nil
        case (_, .file):
            return Objection(path: change.path, reason: "the spec is read from it, and no jail of it may change that")
        case (_, .way):
            return Objection(path: change.path, reason: "it leads to the spec, and no jail of it may change that")
        }
    }
}
