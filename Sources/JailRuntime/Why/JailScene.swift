import JailPlan
import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// What a plan says of a jail, as far as it tells why something is kept from the command.
struct JailScene {
    struct Place {
        let target: String
        let source: String
        let origin: Position?
    }

    /// Whether the jail has a network that leads nowhere.
    let isCutOff: Bool
    /// The trees of the host that lines of the spec show.
    private(set) var places: [Place] = []
    private var system: [String] = []
    private var rootIsHosts = false
    /// What lines of the spec hide, and what the jail mounts.
    private var hides: [(target: String, origin: Position?)] = []
    private var mounted: Set<String> = []
    /// What Landlock closes by the spec, and what it leaves open below which paths.
    private(set) var closed = LandlockHandled()
    private(set) var open: [(path: String, access: FileAccess)] = []
    private(set) var ports: [(port: UInt16, use: PortUse)] = []
    /// Where the launcher was started, and by whom.
    let callerDirectory: String
    let caller: UInt32

    init(_ plan: Plan) {
        isCutOff = plan.newNamespaces.contains(.net) && plan.provision == nil
        callerDirectory = Caller.surroundings().currentDirectory
        caller = effectiveUser()
        for step in plan.steps {
            switch step.operation {
            case .tree(.fill(_, .tree(let source), let promise)):
                mounted.insert(promise.target)
                if promise.target == "/" {
                    rootIsHosts = true
                } else if source.isWritten {
                    places.append(Place(target: promise.target, source: source.path, origin: step.origin))
                } else {
                    system.append(promise.target)
                }
            case .tree(.fill(_, _, let promise)): mounted.insert(promise.target)
            case .tree(.hide(let target)), .tree(.mask(let target)): hides.append((target, step.origin))
            case .landlock(.createRuleset(let handled)): closed = handled
            case .landlock(.allowPath(let path, let access)): open.append((path, access))
            case .landlock(.allowPort(let port, let use)): ports.append((port, use))
            default: break
            }
        }
    }

    /// The line that shows what stands at a path of the jail.
    func place(of path: String) -> Place? {
        places.filter { isWithin(path, $0.target) }.max {
            $0.target.utf8.count < $1.target.utf8.count
        }
    }

    /// Whether what stands at a path is on the jail's own root, and no file of the host's.
    func isOwn(_ path: String) -> Bool {
        !rootIsHosts && place(of: path) == nil && !system.contains { isWithin(path, $0) }
    }

    /// Whether the jail is without a mount of its own that it has by default, as /proc.
    func lacks(_ target: String) -> Bool { !rootIsHosts && !mounted.contains(target) }

    /// A path that a line hides: what stands there can still be asked about, but nothing below.
    func hidden(_ path: String, isAsked: Bool) -> Denial? {
        guard let hide = hides.first(where: { isWithin(path, $0.target) }) else { return nil }
        if isAsked, path == hide.target { return nil }
        return Denial(.hidden, path, remark: hide.origin.map { "by \($0)" } ?? "by default")
    }

    /// Whether Landlock leaves an access to a path open.
    func leaves(_ access: FileAccess, open path: String) -> Bool {
        let wanted = access & closed.files
        if wanted.isNone { return true }
        let granted = open.filter { isWithin(path, $0.path) }
        return (wanted & granted.reduce(FileAccess()) { $0 | $1.access }) == wanted
    }

    /// Whether it leaves a port open.
    func leaves(_ use: PortUse, open port: UInt16) -> Bool {
        let isClosed = use == .bind ? closed.bindsTCP : closed.connectsTCP
        return !isClosed || ports.contains { $0.port == port && $0.use == use }
    }
}
