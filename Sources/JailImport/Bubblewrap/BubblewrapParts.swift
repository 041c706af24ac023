import JailSpec
import SpecFile

/// `--cap-add` and `--cap-drop`, in the order of the words.
struct BubblewrapCapabilities {
    private var changes: [(isAdded: Bool, set: CapabilitySet, directive: Directive)] = []

    mutating func take(_ option: BubblewrapOptions.Option, _ draft: inout Draft) {
        let word = option.values[0]
        let set: CapabilitySet
        if word.uppercased() == "ALL" {
            set = CapabilitySet(Capability.allCases)
        } else if let capability = Capability.named(foreign: word) {
            set = CapabilitySet(capability)
        } else {
            return draft.fail("unknown cap: \(word)", option.directive)
        }
        changes.append((option.name == "--cap-add", set, option.directive))
    }

    /// Root keeps all of its own that are not dropped, everybody else only what is added.
    ///
    /// Bubblewrap makes them ambient only where an option names one: under another uid the rest ends as the command is executed.
    func write(_ context: ImportContext, asRoot staysRoot: Bool, into draft: inout Draft) {
        if context.isRoot, !staysRoot {
            draft.warn(
                "what it cannot have any more is not in its bounding set either",
                Draft.standard("bwrap", "root that becomes another user"))
        }
        if changes.isEmpty, !staysRoot { return }
        var set = context.isRoot ? context.permitted ?? CapabilitySet(Capability.allCases) : []
        for change in changes { set = change.isAdded ? set | change.set : set.without(change.set) }
        for change in changes { draft.isPart(change.directive) }
        guard !set.isNone else { return }
        let directive = changes.last?.directive ?? Draft.standard("bwrap", "as root, without --cap-drop")
        let names = Node.Value.strings(set.capabilities.map(\.name))
        if changes.isEmpty {
            draft.warn(
                "root's jail keeps every capability that root has, as under bubblewrap; a user's keeps none", directive)
        }
        guard staysRoot, !changes.isEmpty else { return draft.set("capabilities.keep", names, directive) }
        // Where an option names some it makes those that are left inheritable and ambient as well.
        for key in ["bounding", "permitted", "effective", "inheritable", "ambient"] {
            draft.set("capabilities.\(key)", names, directive)
        }
    }
}

extension CapabilitySet {
    init(_ capabilities: [Capability]) { self = capabilities.reduce([]) { $0 | CapabilitySet($1) } }
}

extension Capability {
    /// By the name that other tools give it: in any case, with cap_ or without; or its number.
    static func named(foreign word: String) -> Capability? {
        let name = word.lowercased()
        let plain = name.after("cap_") ?? name
        return allCases.first { $0.name == plain }
    }
}

/// `--setenv`, `--unsetenv` and `--clearenv`, in the order of the words.
struct BubblewrapEnvironment {
    private var values: [(name: String, value: String?, directive: Directive)] = []
    private var cleared: Directive?
    private var overridden: [(Directive, Directive)] = []

    mutating func take(_ option: BubblewrapOptions.Option) {
        if option.name == "--clearenv" {
            overridden += (values.map(\.directive) + (cleared.map { [$0] } ?? [])).map { ($0, option.directive) }
            values = []
            cleared = option.directive
            return
        }
        let name = option.values[0]
        if let index = values.firstIndex(where: { $0.name == name }) {
            overridden.append((values.remove(at: index).directive, option.directive))
        }
        values.append((name, option.values.count > 1 ? option.values[1] : nil, option.directive))
    }

    func write(_ directory: String, _ chdir: Directive?, into draft: inout Draft) {
        draft.set("environment.defaults", .boolean(false), Draft.standard("bwrap", "sets nothing but PWD"))
        if let cleared {
            draft.isInForce(.ownEnvironment, "the environment starts empty", cleared)
        } else {
            draft.append("environment.keep", "*", Draft.standard("bwrap", "without --clearenv all is kept"))
        }
        if !values.contains(where: { $0.name == "PWD" }) {
            draft.setVariable("PWD", directory, chdir ?? Draft.standard("bwrap", "PWD is the working directory"))
        }
        for (directive, by) in overridden { draft.warn("has no effect: \(by.reference) comes later", directive) }
        for (name, value, directive) in values {
            if let value {
                draft.setLiteral(name, value, directive)
            } else if cleared != nil {
                draft.isInForce(.ownEnvironment, "nothing is kept", directive)
            } else {
                draft.append("environment.unset", name, directive)
            }
        }
    }

    /// HOME as the options leave it: it is where a command starts that cannot where its caller is.
    func home(of context: ImportContext) -> String? {
        if let last = values.last(where: { $0.name == "HOME" }) { return last.value }
        return cleared == nil ? context.home : nil
    }
}

extension Draft {
    /// Sets a variable to that text and nothing else.
    mutating func setLiteral(_ name: String, _ value: String, _ directive: Directive) {
        guard value != "~", !value.hasPrefix("~/") else {
            return lose("a value that begins with ~ and is not to be the home", directive)
        }
        setVariable(name, literal(value), directive)
    }
}
