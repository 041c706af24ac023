import JailLearn
import JailPlan
import JailSpec
import Kernel
package import SpecFile

extension Caller {
    /// Every variable of the environment, in its order.
    package static var environment: [(name: String, value: String)] {
        callerEnvironment().compactMap { pair in
            guard let equals = pair.firstIndex(of: "=") else { return nil }
            return (String(pair[..<equals]), String(pair[pair.index(after: equals)...]))
        }
    }

    /// In nanoseconds, from some moment on.
    package static var clock: Int { monotonicNanoseconds() }

    /// The top of the git tree that a directory is in.
    package static func gitTree(above directory: String) -> String? {
        var place = directory
        while place != "/" {
            if exists(place + "/.git") { return place }
            place = parent(of: place)
        }
        return nil
    }

    /// The home that passwd(5) has for the caller, who may have set another.
    package static var accountHome: String? {
        do throws(KernelError) {
            let text = try Accounts.read("etc/passwd", below: "/")
            return Accounts.users(text, wanted: .id(effectiveUser())).first?.home
        } catch {
            return nil
        }
    }

    /// What keeps this host from giving a jail a network of its own that leads out, as the end of a sentence, nil for nothing; and the
    /// servers that it asks for names.
    package static var userNetwork: (obstacle: String?, servers: [String]) {
        do throws(KernelError) {
            let host = try HostNetwork.probe()
            let obstacle: String? =
                if host.stack == nil {
                    "neither pasta(1) nor slirp4netns(1) is installed"
                } else if !host.hasRules {
                    "nft(8) is not installed"
                } else if host.tunnelRefusal != nil {
                    "this user cannot open /dev/net/tun"
                } else if !host.hasRoute.four && !host.hasRoute.six {
                    "this host has no default route"
                } else {
                    nil
                }
            return (obstacle, host.resolvers.map { SocketAddress.host($0.bytes) })
        } catch {
            return ("what this host has for one cannot be told", [])
        }
    }

    /// Why a launch of a jail cannot be watched: the flags of clone3(2) are in memory, which no filter reads, and so it is answered
    /// with ENOSYS.
    package static let cannotBeWatched =
        "makes no jail while it is watched, as it needs clone3(2), of which nothing could be seen; watch what runs in that jail"

    /// The file of this program.
    static var ownFile: FileStatus? {
        do throws(KernelError) {
            return try status(ofPath: "/proc/self/exe")
        } catch {
            return nil
        }
    }

    /// Whether that word of a command line leads to this program.
    package static func isItself(_ program: String) -> Bool {
        let isPath = program.utf8.contains(UInt8(ascii: "/"))
        let directories = (environmentVariable("PATH") ?? "/usr/bin:/bin").split(separator: ":")
        for path in isPath ? [program] : directories.map({ $0 + "/" + program }) {
            do throws(KernelError) {
                return try ownFile?.isSame(as: status(ofPath: path)) ?? false
            } catch {
                continue  // the next directory may have it
            }
        }
        return false
    }

    /// Whether an address, as `SocketAddress` words it, is one of the link or where clouds serve metadata.
    package static func isOfTheLink(_ host: String) -> Bool {
        let plain = host.utf8.first == UInt8(ascii: "[") ? host.dropFirst().dropLast() : host[...]
        return IPAddress(plain).map(ClosedAddresses.isOfTheLink) ?? false
    }

    /// A line on the terminal of standard error that the next one takes the place of.
    package static func show(progress line: String) {
        do throws(KernelError) {
            try writeAll(2, Array("\r\u{1b}[K\(line)".utf8), within: 100)
        } catch {
            return  // the terminal has gone, or is stopped
        }
    }
}

/// The directory that a spec and the records beside it are written to: opened before the command is run, which could put another
/// one or a link in its place.
package struct LearnedPlace {
    private let directory: Int32
    /// Absolute, and without links.
    package let path: String

    /// Opens the directory of the spec; root follows no link to it that others made.
    package init(of spec: String) throws(Diagnostic) {
        let (parent, name) = directoryAndName(spec)
        guard name != "", name != ".", name != ".." else { throw Diagnostic("\(quoted(spec)): a directory", at: nil) }
        let user = effectiveUser()
        do throws(WalkFault) {
            directory = try HostWalk.open(parent, following: LinkRule(user: user, isRoot: user == 0)).release()
        } catch {
            switch error {
            case .refused(let error): throw Self.worded("write", spec, error)
            case .link(let link, let objection):
                throw Diagnostic(
                    "cannot write \(quoted(spec)): \(LinkWords.reason(link.path, owner: link.owner, objection))",
                    at: nil,
                    hint: LinkWords.hint(objection))
            }
        }
        let held = directory
        let place = try Self.attempted("write", spec) { () throws(KernelError) in
            guard canWrite(held) else { throw KernelError(.openat, .accessDenied) }
            return try readLink("/proc/self/fd/\(held)")
        }
        path = (place == "/" ? "" : place) + "/" + name
    }

    /// What a file of that ending beside the spec holds; nil where there is none. What somebody else could have written is
    /// refused, as the spec and the records decide what root's next launch opens.
    package func read(ending: String = "") throws(Diagnostic) -> [UInt8]? {
        let name = directoryAndName(path).name + ending
        let held = directory
        let file: Descriptor
        do throws(KernelError) {
            file = try open(name, at: held, .read | .noFollow | .nonBlocking | .noTerminal)
        } catch {
            if error.errno == .noEntry { return nil }
            throw Self.worded("read", path + ending, error)
        }
        let number = file.number
        let found = try Self.attempted("read", path + ending) { () throws(KernelError) in try status(of: number) }
        guard found.isRegular else { throw Diagnostic("\(quoted(path + ending)): not a regular file", at: nil) }
        let user = effectiveUser()
        let source = SourceFile(
            path: path + ending, owner: found.owner, mode: found.permissions, isSymlink: false,
            noun: "what is to be added to")
        let faults = source.trustFaults(callerUID: user)
        if let fault = faults.first { throw fault }
        guard found.owner == user || found.owner == 0 else {
            throw Diagnostic("\(quoted(path + ending)): belongs to uid \(found.owner)", at: nil)
        }
        return try Self.attempted("read", path + ending) { () throws(KernelError) in
            try readAll(number, limit: FileContents.sizeLimit)
        }
    }

    /// Gives the files of those endings a new content, each whole or not at all, also where the machine stops meanwhile.
    package func replace(_ files: [(ending: String, text: String)]) throws(Diagnostic) {
        var drafts: [Draft] = []
        defer { for draft in drafts { draft.end() } }
        for file in files {
            let name = path + file.ending
            let held = directory
            drafts.append(
                try Self.attempted("write", name) { () throws(KernelError) in
                    try Draft(of: directoryAndName(name).name, with: file.text, in: held)
                })
        }
        // What all of them have is on its way to the disk before one of them is waited for; a new name between two waits would have
        // the second wait for the disk once more.
        for step in [Draft.settle, Draft.take] {
            for (draft, file) in zip(drafts, files) {
                try Self.attempted("write", path + file.ending, step(draft))
            }
        }
    }

    /// Removes the file of that ending beside the spec.
    package func remove(ending: String) throws(Diagnostic) {
        let (name, held) = (directoryAndName(path).name + ending, directory)
        try Self.attempted("remove", path + ending) { () throws(KernelError) in try removeFile(name, at: held) }
    }

    private static func attempted<Value: ~Copyable>(
        _ verb: String, _ path: String, _ body: () throws(KernelError) -> Value
    ) throws(Diagnostic) -> Value {
        do throws(KernelError) {
            return try body()
        } catch {
            throw worded(verb, path, error)
        }
    }

    private static func worded(_ verb: String, _ path: String, _ error: KernelError) -> Diagnostic {
        Diagnostic(
            "cannot \(verb) \(quoted(path)): \(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)
    }
}

/// The new content of a file, beside it.
private struct Draft {
    private let directory: Int32
    private let file: Int32
    private let name: String
    private let target: String

    init(of target: String, with text: String, in directory: Int32) throws(KernelError) {
        name = ".immure.\(currentProcess()).\(monotonicNanoseconds())"
        (self.directory, self.target) = (directory, target)
        let opened = try open(name, at: directory, .write | .create | .exclusive | .noFollow, permissions: 0o644)
        file = opened.release()
        do throws(KernelError) {
            try writeAll(file, Array(text.utf8))
            try beginWriting(file)
        } catch {
            end()
            throw error
        }
    }

    /// Waits until it is on the disk.
    func settle() throws(KernelError) { try synchronize(file) }

    /// Puts it in the place of the file.
    func take() throws(KernelError) { try rename(name, to: target, at: directory) }

    /// Removes what is left of it.
    func end() {
        closeDescriptor(file)
        do throws(KernelError) {
            try removeFile(name, at: directory)
        } catch {
            return  // it has another name by now
        }
    }
}
