package import JailPlan
import Kernel
package import SpecFile

/// Where `--result` or `--changes` goes: opened once the spec has been read and before anything runs, written when the jail has ended.
package struct ResultDestination {
    /// What is held until then, and the command must not get: a descriptor of the caller's, the file, or its directory.
    package let descriptor: Int32
    /// The option and its argument, as messages have them.
    let label: String
    private let option: String

    /// Whether the command has it, too: it is standard output.
    package var isShared: Bool { descriptor == 1 }

    /// The file in the directory that is replaced, and the mode of the new one; nil where the descriptor is written to.
    let replaced: (file: String, permissions: UInt32)?
    /// How the file was come to; nil for a descriptor of the caller's.
    let way: (path: String, rule: LinkRule)?

    /// Opens it. `writable` are the sources that the jail may write in: no link below them is followed; nil where the spec
    /// could not be read, and only links of root's are. The file must be none of `specs`.
    ///
    /// A file is not opened for writing but replaced by a new one of the same name, made in the directory that is held: what
    /// becomes of the name meanwhile, a link or another file, is not written to. Where nothing can be made in the directory
    /// the file that is there is held and written to instead.
    package init(
        _ result: ResultName, of option: String = "--result", below writable: [String]?, sparing specs: FilesRead
    ) throws(Diagnostic) {
        self.option = option
        switch result {
        case .descriptor(let number):
            (label, descriptor, replaced, way) = ("\(option) FD:\(number)", number, nil, nil)
            if number == 1 { break }
            let opened = try Self.attempted(label) { () throws(KernelError) in try status(of: number) }
            try Self.spare(specs, opened, label)
        case .path(let path):
            label = "\(option) \(quoted(path))"
            let rule = Self.rule(below: writable)
            way = (path, rule)
            (descriptor, replaced) = try Self.open(path, label, following: rule, below: writable, sparing: specs)
        }
    }

    /// The same for a launch, which a file server that does not answer must not hold up: a path is opened beside this process, which
    /// ends by a signal that comes before that, or with 124 where `timeout` is over.
    package static func open(
        _ result: ResultName, of option: String, below writable: [String], sparing specs: FilesRead,
        within timeout: Duration?
    ) throws(Diagnostic) -> ResultDestination {
        guard case .path(let path) = result else {
            return try ResultDestination(result, of: option, below: writable, sparing: specs)
        }
        let place = "\(option) \(quoted(path))"
        let opening = OpenedBeside()
        let isDone = try attempted(place) { () throws(KernelError) in
            try Caller.lookBeside(within: timeout, at: { place }) {
                do throws(Diagnostic) {
                    opening.destination = try ResultDestination(result, of: option, below: writable, sparing: specs)
                } catch {
                    opening.fault = error
                }
            }
        }
        if let fault = opening.fault { throw fault }
        guard isDone, let destination = opening.destination else {
            throw Diagnostic("\(place): who was to open it was killed", at: nil)
        }
        return destination
    }

    private typealias Place = (descriptor: Int32, replaced: (file: String, permissions: UInt32)?)

    private static func open(
        _ path: String, _ label: String, following rule: LinkRule, below writable: [String]?, sparing specs: FilesRead
    ) throws(Diagnostic) -> Place {
        let (parent, file) = directoryAndName(path)
        guard file != "", file != ".", file != ".." else {
            throw Diagnostic("\(label): a directory", at: nil)
        }
        let directory = try reach(parent, following: rule, for: label)
        let there = try existing(file, in: directory.number, label)
        if let there {
            try spare(specs, there.status, label)
            if writable == nil { try requireResult(file, in: directory.number, label) }
        }
        do throws(KernelError) {
            // Whether there is a place, a right and an inode for it.
            let (made, draft) = try makeDraft(in: directory.number)
            closeDescriptor(made)
            try removeFile(draft, at: directory.number)
            if !(try isFixed(there, in: directory.number)) {
                let permissions = there.map { $0.status.permissions & 0o777 } ?? 0o644 & ~currentUmask()
                return (directory.release(), (file, permissions))
            }
        } catch {
            guard there != nil else { throw worded(error, label) }
        }
        return try attempted(label) { () throws(KernelError) in
            let opened = try Kernel.open(
                file, at: directory.number, .write | .noFollow | .nonBlocking | .noTerminal)
            guard let there, try status(of: opened.number).isSame(as: there.status) else {
                throw KernelError(.openat, .busy)
            }
            return (opened.release(), nil)
        }
    }

    /// Whether a file cannot be replaced by another of its name: it is a mount of its own, or belongs to somebody else in a
    /// sticky directory.
    private static func isFixed(
        _ there: (status: FileStatus, mount: UInt64)?, in directory: Int32
    ) throws(KernelError) -> Bool {
        guard let there else { return false }
        if try mountIdentity(of: directory) != there.mount { return true }
        let (holder, user) = (try status(of: directory), effectiveUser())
        return holder.permissions & 0o1000 != 0 && user != 0 && user != holder.owner && user != there.status.owner
    }

    private static func rule(below writable: [String]?) -> LinkRule {
        let user = effectiveUser()
        var rule = LinkRule(user: writable == nil ? 0 : user, isRoot: writable == nil || user == 0)
        rule.close(writable ?? [])
        return rule
    }

    private static func reach(
        _ directory: String, following rule: LinkRule, for label: String
    ) throws(Diagnostic) -> Descriptor {
        do throws(WalkFault) {
            return try HostWalk.open(directory, following: rule)
        } catch {
            switch error {
            case .refused(let error): throw worded(error, label)
            case .link(let link, let objection):
                throw Diagnostic(
                    "\(label): \(LinkWords.reason(link.path, owner: link.owner, objection))", at: nil,
                    hint: LinkWords.hint(objection))
            }
        }
    }

    /// What is there already: a regular file, or nothing.
    private static func existing(
        _ file: String, in directory: Int32, _ label: String
    ) throws(Diagnostic) -> (status: FileStatus, mount: UInt64)? {
        let found: (status: FileStatus, mount: UInt64)
        do throws(KernelError) {
            let place = try Kernel.open(file, at: directory, .path | .noFollow)
            found = (try status(of: place.number), try mountIdentity(of: place.number))
        } catch {
            if error.errno == .noEntry { return nil }
            throw worded(error, label)
        }
        if found.status.isSymlink {
            throw Diagnostic("\(label): a symbolic link, which is not followed", at: nil)
        }
        guard found.status.isRegular else { throw Diagnostic("\(label): not a regular file", at: nil) }
        return found
    }

    private static func spare(_ specs: FilesRead, _ status: FileStatus, _ label: String) throws(Diagnostic) {
        guard let spec = specs.name(of: status.identity) else { return }
        throw Diagnostic("\(label): is \(spec), which the spec is read from", at: nil)
    }

    /// Which files the spec would have been read from is not known: one that is no result is left as it is.
    private static func requireResult(_ file: String, in directory: Int32, _ label: String) throws(Diagnostic) {
        let bytes = try attempted(label) { () throws(KernelError) in
            let opened = try Kernel.open(file, at: directory, .read | .noFollow | .nonBlocking | .noTerminal)
            return try read(opened.number, upTo: 1)
        }
        guard let first = bytes.first, first != UInt8(ascii: "{") else { return }
        throw Diagnostic("\(label): not replaced, it holds something else than a result", at: nil)
    }

    /// Writes the one object with a line break after it.
    package func write(_ result: JSON) throws(Diagnostic) { try write(result.text + "\n") }

    package func write(_ text: String) throws(Diagnostic) {
        let bytes = Array(text.utf8)
        let written = try Self.attempted(label) { () throws(KernelError) in
            if let replaced { return try replace(replaced.file, replaced.permissions, bytes) }
            if way != nil { try setLength(of: descriptor, 0) }
            try writeAll(descriptor, bytes)
            return try status(of: descriptor)
        }
        if let way { try require(written, at: way.path, following: way.rule) }
    }

    /// For nothing to be told: what an earlier run has written there is no answer of this one.
    package func withdraw() throws(Diagnostic) {
        try Self.attempted(label) { () throws(KernelError) in
            if let replaced {
                if try entryStatus(EntryName(Array(replaced.file.utf8)), at: descriptor) == nil { return }
                return try removeFile(replaced.file, at: descriptor)
            }
            if way != nil { try setLength(of: descriptor, 0) }
        }
    }

    /// A descriptor stays with its directory, wherever that is moved: who reads at the path must not take another file for
    /// the one that was written.
    private func require(_ written: FileStatus, at path: String, following rule: LinkRule) throws(Diagnostic) {
        let (parent, file) = directoryAndName(path)
        let reason: String
        do throws(Diagnostic) {
            let directory = try Self.reach(parent, following: rule, for: label)
            if let found = try Self.existing(file, in: directory.number, label), found.status.isSame(as: written) {
                return
            }
            reason = "does not lead to the file that was written"
        } catch {
            reason = String(error.message.dropFirst(label.count + 2))
        }
        throw Diagnostic(
            "\(label): moved or replaced while the jail ran: \(reason); it was written to \(whereabouts)", at: nil)
    }

    /// Where the file that was written is, as far as the kernel says.
    private var whereabouts: String {
        do throws(KernelError) {
            let place = try readLink("/proc/self/fd/\(descriptor)")
            return quoted(replaced.map { "\(place)/\($0.file)" } ?? place)
        } catch {
            return "the directory of the launch"
        }
    }

    private func replace(
        _ file: String, _ permissions: UInt32, _ bytes: [UInt8]
    ) throws(KernelError) -> FileStatus {
        let (made, draft) = try Self.makeDraft(in: descriptor)
        defer { closeDescriptor(made) }
        do throws(KernelError) {
            try writeAll(made, bytes)
            try setPermissions(made, permissions)
            try rename(draft, to: file, at: descriptor)
            return try status(of: made)
        } catch {
            try removeFile(draft, at: descriptor)
            throw error
        }
    }

    /// A new file of a name that is this process's and this moment's; one that is taken is not touched.
    private static func makeDraft(in directory: Int32) throws(KernelError) -> (descriptor: Int32, name: String) {
        let name = ".immure.\(currentProcess()).\(monotonicNanoseconds())"
        let made = try Kernel.open(name, at: directory, .write | .create | .exclusive | .noFollow, permissions: 0o600)
        return (made.release(), name)
    }

    private static func attempted<Value: ~Copyable>(
        _ label: String, _ body: () throws(KernelError) -> Value
    ) throws(Diagnostic) -> Value {
        do throws(KernelError) {
            return try body()
        } catch {
            throw worded(error, label)
        }
    }

    private static func worded(_ error: KernelError, _ label: String) -> Diagnostic {
        Diagnostic(
            "\(label): \(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)
    }
}

/// What came of opening it in a process beside.
private final class OpenedBeside {
    var destination: ResultDestination?
    var fault: Diagnostic?
}
