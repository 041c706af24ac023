package import JailPlan
package import JailSpec
import Kernel
import LinuxFacts
package import SpecFile

/// What the names of a spec have to do with one another: asked only where the jail may write, or something is hidden.
extension Host {
    /// Looks at where the sources lie, and the files that the spec was read from.
    ///
    /// A source may be on a file server that does not answer: that is found out beside this process, which ends as a launch
    /// does that a signal or its deadline ends.
    package mutating func probeNames(of spec: Spec, readFrom files: FilesRead) throws(Rejection) {
        guard case .new = spec.namespaces[.mount].value else { return }
        let isAsked = spec.filesystem.mounts.contains { mount in
            if mount.isHidden { return true }
            guard case .bind = mount.source else { return false }
            return !mount.options.asked.hasAll(of: .readOnly)
        }
        guard isAsked || !spec.filesystem.writableSources.isEmpty else { return }
        // Who only asks for a plan starts nothing, and ends by any signal.
        guard files.toLaunch else { return try lookAtNames(of: spec, files) }
        let probe = NameProbe(self)
        let place = { probe.path.map { "look at \(quoted($0))" } ?? "look at the sources" }
        let isDone: Bool
        do throws(KernelError) {
            isDone = try Caller.lookBeside(within: spec.timeout?.value, at: place) { probe.run(spec, files) }
        } catch {
            throw Rejection.ofLook(error)
        }
        if let rejection = probe.rejection { throw rejection }
        guard isDone else { throw Rejection([Diagnostic("\(place()): who was to do it was killed", at: nil)]) }
        self = probe.host
    }

    fileprivate mutating func lookAtNames(of spec: Spec, _ files: FilesRead) throws(Rejection) {
        try findExposed(spec, files)
        findGroups(spec)
        findSecondViews(spec)
    }

    /// Finds the files of the spec that lie in what the jail may write, and refuses those that a link of its making leads to.
    private mutating func findExposed(_ spec: Spec, _ files: FilesRead) throws(Rejection) {
        let sources = spec.filesystem.writableSources
        guard !sources.isEmpty, !files.isEmpty else { return }
        let user = effectiveUser()
        var rule = LinkRule(user: user, isRoot: user == 0)
        rule.close(sources)
        let places = rule.places
        var faults: [Diagnostic] = []
        for (path, identity) in files.all {
            do throws(WalkFault) {
                let trail = try Self.trail(of: path, following: rule)
                guard trail.statuses.last?.identity == identity else {
                    faults.append(Diagnostic("\(path) has been replaced since it was read", at: nil))
                    continue
                }
                for place in places {
                    guard let below = trail.names(below: place.identity) else { continue }
                    exposed.append(
                        ExposedFile(
                            path: path, source: place.path, below: joined(below),
                            device: identity.device,
                            inode: identity.inode))
                }
            } catch {
                switch error {
                case .refused(let error):
                    faults.append(
                        Diagnostic(
                            "find the directory of \(path): \(error.call.name): \(error.errno.name) \(error.errno.words)",
                            at: nil))
                case .link(let link, let objection):
                    faults.append(
                        Diagnostic(
                            "\(path): \(LinkWords.reason(link.path, owner: link.owner, objection))", at: nil,
                            hint: LinkWords.hint(objection)))
                }
            }
        }
        guard faults.isEmpty else { throw Rejection(faults) }
    }

    /// From the root where the caller may look at what is above the current directory, else from that.
    private static func trail(of path: String, following rule: LinkRule) throws(WalkFault) -> Trail {
        do throws(WalkFault) {
            let walk = try HostWalk(to: Caller.absolute(path), following: rule)
            return try walk.trail()
        } catch {
            guard case .refused(let refusal) = error, refusal.errno == .accessDenied else { throw error }
        }
        let walk = try HostWalk(to: path, following: rule)
        return try walk.trail()
    }

    /// Finds the sources through which cgroups could be written: on a cgroup file system, or above one.
    private mutating func findGroups(_ spec: Spec) {
        for mount in spec.filesystem.mounts where !mount.options.asked.hasAll(of: .readOnly) {
            guard case .bind(let path) = mount.source else { continue }
            do throws(KernelError) {
                let place = try open(path, .path)
                let magic = try fileSystemMagic(of: place.number)
                if magic == FileSystemMagic.cgroup2 || magic == FileSystemMagic.cgroup {
                    groupSources.append(path)
                } else if spec.limits != nil, mount.options.isRecursive, try Self.holdsGroups(place.number) {
                    groupSources.append(path)
                }
            } catch {
                continue  // the launch will find out, and say where
            }
        }
    }

    /// Whether a cgroup file system is mounted below a directory.
    private static func holdsGroups(_ directory: Int32) throws(KernelError) -> Bool {
        let above = try readLink("/proc/self/fd/\(directory)")
        let stem = above == "/" ? "/" : above + "/"
        let table = try open("/proc/self/mountinfo", .read)
        for line in lines(try readAll(table.number, limit: 1 << 26)) {
            let parts = words(Array(line.utf8))
            guard let dash = parts.firstIndex(of: "-"), dash > 5, parts.count > dash + 1 else { continue }
            if parts[dash + 1].hasPrefix("cgroup"), parts[4].utf8.starts(with: stem.utf8) { return true }
        }
        return false
    }

    /// Finds the binds that show what another line hides.
    private mutating func findSecondViews(_ spec: Spec) {
        let hides = spec.filesystem.mounts.filter { $0.isHidden }
        guard !hides.isEmpty else { return }
        var sources: [(path: String, identity: FileIdentity, real: String)] = []
        for mount in spec.filesystem.mounts {
            guard case .bind(let path) = mount.source, let found = Self.place(path) else { continue }
            sources.append((path, found.trail.statuses.last?.identity ?? FileIdentity(device: 0, inode: 0), found.real))
        }
        guard !sources.isEmpty else { return }
        for hide in hides {
            guard let behind = spec.filesystem.hostPath(behind: hide.target), let found = Self.place(behind) else {
                continue
            }
            let covered = spec.filesystem.isOfHost(hide.target) ? found.real : hide.target
            for source in sources {
                if let below = found.trail.names(below: source.identity) {
                    secondViews.append(
                        SecondView(
                            hidden: hide.target, covered: covered, source: source.path,
                            below: joined(below)))
                } else if source.real.utf8.starts(with: "\(found.real)/".utf8) {
                    secondViews.append(
                        SecondView(hidden: hide.target, covered: hide.target, source: source.path, below: ""))
                }
            }
        }
    }

    private static func place(_ path: String) -> (trail: Trail, real: String)? {
        do throws(WalkFault) {
            let walk = try HostWalk(to: path, following: LinkRule(user: effectiveUser(), isRoot: false))
            return (try walk.trail(), walk.path)
        } catch {
            return nil  // where it leads nowhere there is nothing to see; the launch says what is in the way
        }
    }
}

/// The look at the names in a process of its own, which shares its memory.
private final class NameProbe {
    var host: Host
    var rejection: Rejection?
    /// The source that is being opened.
    var path: String?

    init(_ host: Host) { self.host = host }

    func run(_ spec: Spec, _ files: FilesRead) {
        for mount in spec.filesystem.mounts {
            guard case .bind(let source) = mount.source else { continue }
            path = source
            touch(source)
        }
        path = nil
        do throws(Rejection) {
            try host.lookAtNames(of: spec, files)
        } catch {
            rejection = error
        }
    }
}
