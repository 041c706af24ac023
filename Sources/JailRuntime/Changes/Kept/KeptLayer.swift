import JailPlan
import JailSpec
import Kernel
import SpecFile

/// The upper or the work directory of an overlay that keeps its changes: how `run`, `diff`, `apply` and `discard` come to it.
///
/// What they find there is believed, put into the original and thrown away. So it is the directory of that name itself, never
/// what a link there leads to, and for root nobody else may put another in its place.
struct KeptLayer {
    /// `upper` or `work`, as the key is called.
    let key: String
    let path: String
    /// Which links are followed on the way.
    let rule: LinkRule
    /// Whether root outside asks.
    let isRoot: Bool
    /// Those of the user namespace that this process is in, where it has come to one of the jail's.
    var maps: IdentityMaps?

    static let wayHint = "keep the changes below a directory that only root can write to"

    var name: String { components(path).last ?? "." }
    var parent: KeptLayer {
        let above = "/" + components(path).dropLast().joined(separator: "/")
        return KeptLayer(key: key, path: above, rule: rule, isRoot: isRoot, maps: maps)
    }

    /// Opens it for reading; what the kernel refuses is a failure of cause `kernel`, as ENOENT where it does not exist.
    func open() throws(Failure) -> Descriptor { try open(in: try parent.reach()) }

    /// The same; what is missing is made, and the directory that it is in: closed to everybody else, as what a jail leaves in it may be
    /// set-user-ID. `original`: whose owner, mode and attributes a new one gets.
    func openOrMake(like original: Int32?) throws(Failure) -> Descriptor {
        try openOrMake(in: try parent.reachOrMake(), like: original)
    }

    func openOrMake(in above: borrowing Descriptor, like original: Int32?) throws(Failure) -> Descriptor {
        do throws(Failure) {
            return try open(in: above)
        } catch {
            guard case .kernel = error.cause, error.errno == .noEntry else { throw error }
        }
        let directory = above.number
        try failing { () throws(KernelError) in try makeDirectory(name, at: directory, permissions: 0o700) }
        let made = try open(in: above)
        if let original { try failing { () throws(KernelError) in try copyRoot(of: original, to: made.number) } }
        return made
    }

    /// The same without making anything: nil where it is missing, and there is the directory that it would be made in.
    func openOrFindPlace() throws(Failure) -> Descriptor? {
        do throws(Failure) {
            return try open()
        } catch {
            guard case .kernel = error.cause, error.errno == .noEntry else { throw error }
        }
        do throws(Failure) {
            _ = try parent.reach()
        } catch {
            guard case .kernel = error.cause, error.errno == .noEntry else { throw error }
            _ = try parent.parent.reach()
        }
        return nil
    }

    func open(
        in above: borrowing Descriptor, _ mode: OpenMode = .read | .directory | .noFollow
    ) throws(Failure) -> Descriptor {
        let directory = above.number
        let opened: Int32
        do throws(KernelError) {
            opened = try Kernel.open(name, at: directory, mode).release()
        } catch {
            // O_DIRECTORY goes before O_NOFOLLOW: a link, too, is ENOTDIR.
            guard [.notDirectory, .loop].contains(error.errno) else { throw Failure(error) }
            let found = try failing { () throws(KernelError) in
                try entryStatus(EntryName(Array(name.utf8)), at: directory)
            }
            throw refusal(of: found?.kind)
        }
        let layer = Descriptor(owning: opened)
        if key == "work" { try requireOwn(opened, "work: \(path)", path: path) }
        return layer
    }

    /// Why something else than a directory is not taken for one.
    func refusal(of kind: EntryStatus.Kind?) -> Failure {
        Failure(
            telling: kind == .symlink
                ? "\(key): \(path) is a symbolic link, and changes are kept only in the directory itself"
                : "\(key): \(path) is not a directory", hint: nil)
    }

    /// The directory that is entered on the way, opened with `O_PATH`.
    func reach() throws(Failure) -> Descriptor {
        let (reached, fault): (Int32, Diagnostic?)
        do throws(WalkFault) {
            (reached, fault) = try Caller.reach(path, following: rule, trusting: isRoot ? 0 : nil)
        } catch {
            throw LinkWords.failure(error, in: maps)
        }
        let directory = Descriptor(owning: reached)
        if let fault {
            throw Failure(
                telling: "\(key): \(fault.message): other changes could be put in the place of root's",
                hint: Self.wayHint)
        }
        return directory
    }

    func reachOrMake() throws(Failure) -> Descriptor {
        do throws(Failure) {
            return try reach()
        } catch {
            guard case .kernel = error.cause, error.errno == .noEntry else { throw error }
        }
        let above = try parent.reach()
        return try failing { () throws(KernelError) in
            try makeDirectory(name, at: above.number, permissions: 0o700)
            return try Kernel.open(name, at: above.number, .path | .directory | .noFollow)
        }
    }
}

/// What says whose the changes are must be the caller's, and nobody else's to write. `path`: of a directory, for the hint.
func requireOwn(_ descriptor: Int32, _ noun: String, path: String?) throws(Failure) {
    let found = try failing { () throws(KernelError) in try status(of: descriptor) }
    let user = effectiveUser()
    guard found.owner == user else {
        throw Failure(
            telling: "\(noun) is not the caller's, and the changes may be another user's",
            hint: "name another upper and work, which immure makes")
    }
    let file = SourceFile(path: path ?? noun, owner: user, mode: found.permissions, isSymlink: false, noun: noun)
    guard let fault = file.trustFaults(callerUID: user).first else { return }
    throw Failure(telling: fault.message, hint: path == nil ? nil : fault.hint)
}
