package import JailSpec
import LinuxFacts
import SpecFile

/// What a directive that has no line of its own is said to have in force: asked of the spec that was made, never believed.
package indirect enum Claim: Equatable, Sendable {
    case all([Claim])
    /// It asks for nothing, or for what no spec can take from a jail.
    case nothing
    /// The namespace is the jail's own.
    case own(NamespaceKind)
    case noNetwork
    /// The command makes no namespaces.
    case notNested
    /// The capabilities that the command may have are among these.
    case bounded(CapabilitySet)
    /// /dev is not the host's.
    case ownDevices
    /// What is at that path cannot be written to, or is not there; something below it may be.
    case readOnly(String)
    /// What stands at that path is the jail's own, whatever of the host's is shown below it.
    case ownDirectory(String)
    /// Nothing of the host is at these paths.
    case absent([String])
    /// The calls of other architectures end the process.
    case nativeCalls
    case ownKeyring
    /// Nothing of the caller's environment is kept.
    case ownEnvironment
    /// It dies with whoever starts it.
    case diesWithParent
    case noGroups

    /// The claim of a namespace by the name that a spec has for it.
    static func own(foreign name: String) -> Claim { NamespaceKind(rawValue: name).map { .own($0) } ?? .nothing }

    /// What is told where it is not so in that jail; nil where it is. `home` is where `~` leads, and `variable`
    /// what `${NAME}` stands for.
    package func fault(in jail: SeenTree, home: String, variable: (String) -> String?) -> String? {
        switch self {
        case .all(let claims):
            for claim in claims {
                if let fault = claim.fault(in: jail, home: home, variable: variable) { return fault }
            }
            return nil
        case .absent(let paths):
            let seen = paths.first { !jail.isAbsent(Self.expanded($0, home, variable)) }
            return seen.map { "\($0) may be there" }
        default: return holds(in: jail, home, variable) ? nil : words
        }
    }

    private func holds(in tree: SeenTree, _ home: String, _ variable: (String) -> String?) -> Bool {
        let spec = tree.spec
        switch self {
        case .nothing, .all, .absent: return true
        case .own(let kind): return spec.namespaces[kind].value.isNew && !(kind == .net && spec.sharesNetwork)
        case .noNetwork:
            return !spec.sharesNetwork && (spec.network.mode?.value ?? Network.Mode.none) == Network.Mode.none
        case .notNested: return !spec.namespaces.nested.value
        case .bounded(let set):
            let sets = spec.capabilities
            let kept = [sets.keep, sets.bounding, sets.permitted, sets.effective, sets.inheritable, sets.ambient]
            return kept.allSatisfy { $0?.value.without(set).isNone ?? true }
        case .ownDevices: return spec.filesystem.devices.value != .host
        case .readOnly(let path): return !tree.seen(at: Self.expanded(path, home, variable)).isWritable
        case .ownDirectory(let path): return !tree.seen(at: Self.expanded(path, home, variable)).isOfHost
        case .nativeCalls: return (spec.seccomp?.value.abis?.value ?? [.native]) == [.native]
        case .ownKeyring: return spec.process.keyring.value == .new
        case .ownEnvironment: return spec.environment.keep.isEmpty
        case .diesWithParent: return spec.process.dieWithParent.value
        case .noGroups: return spec.identity.groups?.value.isEmpty ?? true
        }
    }

    private var words: String {
        switch self {
        case .nothing, .all, .absent: ""
        case .own(let kind): "the \(kind.rawValue) namespace is not the jail's own"
        case .noNetwork: "the jail has a network"
        case .notNested: "the command may make namespaces"
        case .bounded: "the command keeps other capabilities"
        case .ownDevices: "/dev is the host's"
        case .readOnly(let path): "\(path) can be written to"
        case .ownDirectory(let path): "\(path) is the host's"
        case .nativeCalls: "other architectures may call"
        case .ownKeyring: "the keyring is the caller's"
        case .ownEnvironment: "variables of the caller are kept"
        case .diesWithParent: "the jail outlives whoever starts it"
        case .noGroups: "it has groups"
        }
    }

    /// A path of a spec as its decoder reads it.
    private static func expanded(_ path: String, _ home: String, _ variable: (String) -> String?) -> String {
        if path == "~" || path.hasPrefix("~/") { return home + path.dropFirst() }
        guard let rest = path.after("${") else { return path }
        let (name, tail) = rest.cut("}")
        return (variable(name) ?? "") + (tail ?? "")
    }
}
