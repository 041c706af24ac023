import JailPlan
import JailSpec
import Kernel
import SpecFile

/// The tree of a jail that there is not, by what the plan puts where and what the host has there.
///
/// What is not known, as what a link leads to inside, is not guessed.
struct SeenTree {
    enum Entry {
        /// With the mode that it has; nil for one that the launch makes.
        case directory(permissions: UInt32?)
        case file, missing
        /// A file is on the way to it.
        case blocked
        case unknown
    }

    private enum Place {
        /// A path of the host.
        case tree(String, optional: Bool)
        /// Paths of the host of which the first that has something is seen.
        case layers([String])
        /// Empty but for what is put there.
        case empty
        case file
        /// Somewhere else, or something that only a launch shows.
        case unknown
    }

    private var places: [(target: String, place: Place)] = []
    private var fillings: [Int: Place] = [:]
    /// Sources that the launch would make.
    private var sources: [String] = []

    /// nil where the mounts are another's.
    init?(_ plan: Plan) {
        for step in plan.steps {
            switch step.operation {
            case .process(.joinNamespaces(let joined)): if joined.contains(where: { $0.kind == .mount }) { return nil }
            case .tree(.makeSource(let making)): sources.append(making.path)
            case .tree(.fill(let slot, let filling, _)): fillings[slot] = Self.place(filling)
            case .tree(.beginRoot(let slot)): places.append(("/", fillings[slot] ?? .unknown))
            case .tree(.attach(let slot, let target, _)): places.append((target, fillings[slot] ?? .unknown))
            case .tree(.makeDirectory(let target, _, _)): places.append((target, .unknown))
            case .tree(.makeSymlink(let target, _)), .tree(.hide(let target)), .tree(.mask(let target)):
                places.append((target, .unknown))
            default: break
            }
        }
        if !places.contains(where: { $0.target == "/" }) { places.append(("/", .tree("/", optional: false))) }
    }

    private static func place(_ filling: Filling) -> Place {
        switch filling {
        case .tree(let source): .tree(source.path, optional: source.optional)
        case .overlay(let source): .layers(source.layers)
        case .fileSystem(let fileSystem): fileSystem.type == "tmpfs" ? .empty : .unknown
        case .file, .passedFile, .device: .file
        case .image, .noticeSocket, .credentials: .unknown
        }
    }

    /// What is at a path of the jail; `beneath`: under what the plan puts there itself.
    func entry(_ path: String, beneath: Bool = false) -> Entry {
        var reached = ""
        for name in components(path) {
            if name == ".." { return .unknown }
            reached += "/" + name
            let isLast = reached.utf8.count == path.utf8.count
            let found = beneath && isLast ? made(at: reached) : entry(at: reached)
            switch found {
            case .directory: if isLast { return found }
            case .file: return isLast ? .file : .blocked
            case .missing, .blocked, .unknown: return found
            }
        }
        return .directory(permissions: nil)
    }

    /// Whether the mount of a slot is a directory; nil where that is not known.
    func isDirectory(_ slot: Int) -> Bool? {
        switch fillings[slot] {
        case .tree(let source, _):
            switch Self.reached(source) {
            case .directory: true
            case .file: false
            case .missing, .blocked, .unknown: nil
            }
        case .layers, .empty: true
        case .file: false
        case .unknown, nil: nil
        }
    }

    /// The same where all above it are directories.
    private func entry(at path: String) -> Entry {
        for (target, place) in places.reversed() where target.utf8.elementsEqual(path.utf8) {
            switch place {
            case .tree(let source, let optional):
                let found = Self.reached(source)
                if case .missing = found {
                    guard optional else { return .unknown }
                    continue
                }
                return found
            case .layers, .empty: return .directory(permissions: nil)
            case .file: return .file
            case .unknown: return .unknown
            }
        }
        return made(at: path)
    }

    /// What is there of what is above, or is made for what is put below it.
    private func made(at path: String) -> Entry {
        let found = shown(path)
        guard case .missing = found else { return found }
        let isAbove = places.contains { $0.target.utf8.starts(with: "\(path)/".utf8) }
        return isAbove ? .directory(permissions: nil) : .missing
    }

    /// What the place next above shows of it.
    private func shown(_ path: String) -> Entry {
        var best: (target: String, place: Place)?
        for next in places where isWithin(path, next.target) && next.target != path {
            if case .tree(let source, true) = next.place, case .missing = Self.reached(source) { continue }
            if next.target.utf8.count >= best?.target.utf8.count ?? 0 { best = next }
        }
        guard let best else { return .unknown }
        let rest = path.utf8.dropFirst(best.target == "/" ? 0 : best.target.utf8.count)
        let below = String(decoding: rest, as: UTF8.self)
        switch best.place {
        case .tree(let source, _): return onHost((source == "/" ? "" : source) + below)
        case .layers(let layers):
            for layer in layers {
                let found = onHost((layer == "/" ? "" : layer) + below)
                guard case .missing = found else { return found }
            }
            return .missing
        case .empty: return .missing
        case .file, .unknown: return .unknown
        }
    }

    /// A source, by links.
    private static func reached(_ path: String) -> Entry {
        look { () throws(KernelError) in try status(ofPath: path) }
    }

    /// What is there itself: where a link leads in the jail is not known.
    private func onHost(_ path: String) -> Entry {
        if sources.contains(where: { isWithin($0, path) || isWithin(path, $0) }) { return .unknown }
        return Self.look { () throws(KernelError) in try status(ofEntry: path) }
    }

    private static func look(_ status: () throws(KernelError) -> FileStatus) -> Entry {
        do throws(KernelError) {
            let found = try status()
            if found.isDirectory { return .directory(permissions: found.permissions) }
            return found.isSymlink ? .unknown : .file
        } catch {
            return error.errno == .noEntry ? .missing : .unknown
        }
    }
}

extension OverlaySource {
    /// What is seen through it, the uppermost first.
    fileprivate var layers: [String] {
        if case .kept(let upper, _) = changes { [upper] + lower } else { lower }
    }
}
