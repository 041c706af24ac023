import JailPlan
import JailSpec
import Kernel
import LinuxFacts
import SpecFile
import SystemCallFilter

/// What a plan says of a jail, as far as it tells why something is kept from the command.
struct JailScene {
    struct Place {
        let target: String
        let source: String
        let origin: Position?
    }

    /// Whether the jail has a network that leads nowhere, or one with rules of where it leads.
    let isCutOff: Bool
    let hasRules: Bool
    /// The trees of the host that lines of the spec show.
    private(set) var places: [Place] = []
    private var system: [String] = []
    private var rootIsHosts = false
    /// The overlays, each with its first lower, and whether its line could have `idmap`.
    private(set) var overlays: [(place: Place, mayBeMapped: Bool)] = []
    /// What lines of the spec hide, and what the jail mounts.
    private var hides: [(target: String, origin: Position?)] = []
    private var mounted: [String: Position?] = [:]
    /// The filter of system calls.
    let filter: FilterProgram?
    /// Whether the jail has users and a network of its own.
    let ownsUsers: Bool
    let ownsNetwork: Bool
    /// Whether it has published ports, down to which the command may have any.
    private(set) var publishes = false
    /// The capabilities that the command may ever have, and the lines that give them and close by Landlock.
    private var kept = CapabilitySet()
    private var keptBy: Position?
    private(set) var closedBy: Position?
    /// What Landlock closes by the spec, and what it leaves open below which paths.
    private(set) var closed = LandlockHandled()
    private(set) var open: [(path: String, access: FileAccess)] = []
    private(set) var ports: [(port: UInt16, use: PortUse)] = []
    /// What keeps the command to its tree; nil where nothing does.
    private(set) var rules: TreeRules?
    /// The limits of getrlimit(2) that lines of the spec set.
    private(set) var limits: [Resource: Position] = [:]
    /// Where the launcher was started, and by whom.
    let callerDirectory: String
    let caller: UInt32
    /// Whether the jail has no ids but the caller's, who is not root, by no map that is written: they may have the number 0 as well.
    private(set) var mayBeRootOfItsOwn = false

    init(_ plan: Plan) {
        (isCutOff, hasRules) = (plan.newNamespaces.contains(.net) && plan.provision == nil, plan.provision != nil)
        filter = plan.filter
        (ownsUsers, ownsNetwork) = (plan.newNamespaces.contains(.user), plan.newNamespaces.contains(.net))
        callerDirectory = Caller.surroundings().currentDirectory
        caller = effectiveUser()
        for step in plan.steps {
            switch step.operation {
            case .tree(.fill(_, .tree(let source), let promise)):
                mounted[promise.target] = .some(step.origin)
                if promise.target == "/" {
                    rootIsHosts = true
                } else if source.isWritten {
                    places.append(Place(target: promise.target, source: source.path, origin: step.origin))
                } else {
                    system.append(promise.target)
                }
            case .tree(.fill(_, .overlay(let source), let promise)):
                mounted[promise.target] = .some(step.origin)
                guard let lower = source.lower.first, promise.target != "/" else { break }
                overlays.append(
                    (
                        Place(target: promise.target, source: lower, origin: step.origin),
                        source.isThrownAway && source.fileIDs == nil && source.owner == nil
                    ))
            case .tree(.fill(_, _, let promise)): mounted[promise.target] = .some(step.origin)
            case .tree(.hide(let target)): hides.append((target, step.origin))
            case .tree(.mask(let target)): hides.append((target, nil))
            case .landlock(.createRuleset(let handled)): (closed, closedBy) = (handled, step.origin)
            case .landlock(.keepToTree(let rules)): self.rules = rules
            case .landlock(.allowPath(let path, let access)): open.append((path, access))
            case .landlock(.allowPort(let port, let use)): ports.append((port, use))
            case .limits(.setResourceLimit(let resource, _, _)): limits[resource] = step.origin
            case .identity(.mapIdentities(let maps)):
                mayBeRootOfItsOwn =
                    caller != 0 && step.origin == nil
                    && [maps.users, maps.groups].allSatisfy { $0.map(\.count) == [1] }
            case .identity(.dropBounding(let keeping)): (kept, keptBy) = (keeping, step.origin)
            case .network(.publish): publishes = true
            default: break
            }
        }
    }

    /// The line that keeps one more capability, and what it takes the place of.
    func keeping(_ capability: Capability) -> (line: String, note: String) {
        let names = (kept | CapabilitySet(capability)).capabilities.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let note = kept.isNone ? "" : keptBy.map { ", in place of what \($0) says" } ?? ""
        return ("capabilities.keep = [\(names)]", note)
    }

    /// A line that hides something: none may give a capability that takes mounts away.
    var firstHide: Position? { hides.lazy.compactMap(\.origin).first }

    /// The line that a mount comes from, of those that a path is below.
    func origin(ofMountOf path: String) -> Position? {
        let target = mounted.keys.filter { isWithin(path, $0) }.max { $0.utf8.count < $1.utf8.count }
        return target.flatMap { mounted[$0] ?? nil }
    }

    /// The line that shows what stands at a path of the jail.
    func place(of path: String) -> Place? {
        places.filter { isWithin(path, $0.target) }.max {
            $0.target.utf8.count < $1.target.utf8.count
        }
    }

    /// The overlay that a path is on, where its line may have `idmap`.
    func mappable(_ path: String) -> Place? {
        let target = mounted.keys.filter { isWithin(path, $0) }.max { $0.utf8.count < $1.utf8.count }
        return overlays.first { $0.place.target == target && $0.mayBeMapped }?.place
    }

    /// Whether what stands at a path is on the jail's own root, and no file of the host's.
    func isOwn(_ path: String) -> Bool {
        !rootIsHosts && place(of: path) == nil && !system.contains { isWithin(path, $0) }
    }

    /// A mount of its own that the jail has by default and the spec has taken away, with the line that gives it back.
    typealias Own = (target: String, line: String)

    /// The one that a path would be on.
    func lacking(_ path: String) -> Own? {
        guard
            let target = Self.places.first(where: { isWithin(path, $0.place) && mounted[$0.target] == nil })?.target,
            let own = Self.own.first(where: { $0.target == target })
        else { return nil }
        // What a root that is a tree of the host's has there itself is as good, but what is covered.
        return !rootIsHosts || hides.contains { $0.target == target } ? own : nil
    }

    private static let places = [
        (place: "/proc", target: "/proc"), (place: "/tmp", target: "/tmp"), (place: "/var/tmp", target: "/tmp"),
        (place: "/dev", target: "/dev"), (place: "/dev/shm", target: "/dev/shm"),
    ]
    private static let own: [Own] = [
        ("/proc", "filesystem.proc = true"), ("/tmp", "filesystem.tmp = \"64M\""),
        ("/dev", "filesystem.dev = \"minimal\""), ("/dev/shm", "filesystem.shm = \"64M\""),
    ]

    /// A path that a line hides: what stands there can still be asked about, but nothing below.
    func hidden(_ path: String, isAsked: Bool) -> Denial? {
        guard let hide = hides.first(where: { isWithin(path, $0.target) }) else { return nil }
        if isAsked, path == hide.target { return nil }
        if let own = lacking(path) { return Denial(.hidden, path, line: own.line) }
        return Denial(
            .hidden, path,
            advice: hide.origin.map { "take it out of what \($0) hides" }
                ?? "so it is in every jail, whatever hide says")
    }

    /// Whether Landlock leaves an access to a path open.
    func leaves(_ access: FileAccess, open path: String) -> Bool {
        let wanted = access & closed.files
        if wanted.isNone { return true }
        let granted = open.filter { isWithin(path, $0.path) }
        return (wanted & granted.reduce(FileAccess()) { $0 | $1.access }) == wanted
    }

    /// Whether a file of the host's, on none of the jail's mounts, can be opened no further than it was given.
    func keeps(_ access: FileAccess, asGiven path: String) -> Bool {
        guard let rules else { return false }
        // Rules for a directory of the host's hold for the file that is below it there.
        guard rootIsHosts else { return true }
        let isShown = places.contains { place in
            isWithin(path, place.source) && rules.places.contains { $0.target == place.target }
        }
        return !isShown && (rules.belowRoot & access).isNone
    }

    /// Whether it leaves a port open.
    func leaves(_ use: PortUse, open port: UInt16) -> Bool {
        let isClosed = use == .bind ? closed.bindsTCP : closed.connectsTCP
        return !isClosed || ports.contains { $0.port == port && $0.use == use }
    }
}
