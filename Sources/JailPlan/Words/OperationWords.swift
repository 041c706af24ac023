import JailSpec
import LinuxFacts
import SystemCallFilter

/// What an operation says of itself, to a person and as JSON.
package struct OperationWords: Sendable {
    /// As JSON has it: `set_nice`.
    package let name: String
    /// In a few words, with the path or name that it is about: `mount /srv`. A failure begins with it.
    package let title: String
    /// What the title leaves out and a person wants to know; empty for nothing.
    package let detail: String
    /// What it was given, by name.
    package let arguments: [(String, JSON)]

    init(_ name: String, _ title: String, _ arguments: [(String, JSON)] = [], detail: String = "") {
        (self.name, self.title, self.detail, self.arguments) = (name, title, detail, arguments)
    }
}

extension Operation {
    /// The name of the operation as JSON has it.
    package var operationName: String { words.name }

    /// The one place where an operation gets its words: a new one does not compile without.
    package var words: OperationWords {
        switch self {
        case .requestScope(let manager):
            OperationWords(
                "request_scope", "ask the \(manager.rawValue) manager for a scope",
                [("manager", .string(manager.rawValue))])
        case .enableControllers(let base, let controllers): base.words(enabling: controllers)
        case .createCgroup(let delegation): delegation.words
        case .setLimit(let setting): setting.words
        case .enterCgroup: OperationWords("enter_cgroup", "enter the cgroup")
        case .makeSource(let making): making.words
        case .openImage(let slot, let source): source.openingWords(of: slot)
        case .openOverlay(let slot, let source): source.openingWords(of: slot)
        case .connectManager(let socket):
            OperationWords(
                "connect_manager", "connect to the service manager at \(socket)", [("socket", .string(socket))])
        case .readCredentials(let path):
            OperationWords("read_credentials", "read the credentials in \(path)", [("source", .string(path))])
        case .joinNamespaces(let joined): JoinedNamespace.words(joined)
        case .createNamespaces(let kinds):
            OperationWords(
                "create_namespaces",
                kinds.isEmpty
                    ? "start a process" : "create namespaces " + kinds.map(\.rawValue).joined(separator: " "),
                [("kinds", .array(kinds.map { .string($0.rawValue) }))])
        case .mapIdentities(let maps): maps.words
        case .offsetClocks(let monotonic, let boottime):
            OperationWords(
                "offset_clocks", "offset the clocks",
                [("monotonic", .string(monotonic.text)), ("boottime", .string(boottime.text))],
                detail: "monotonic \(monotonic.text)s, boottime \(boottime.text)s")
        case .setOOMScore(let score):
            OperationWords("set_oom_score", "set oom_score_adj \(score)", [("score", .integer(Int(score)))])
        case .raiseHardLimit(let resource, let hard):
            OperationWords(
                "raise_hard_limit", "raise the hard limit of \(resource.name)",
                [("resource", .string(resource.name)), ("hard", JSON(limit: hard))], detail: limitWord(hard))
        case .forbidUserNamespaces: OperationWords("forbid_user_namespaces", "forbid namespaces within")
        case .openPipes(let descriptors, let group):
            OperationWords(
                "open_pipes", "let the command open its pipes anew",
                [
                    ("descriptors", .array(descriptors.map { .integer(Int($0)) })), ("group", .integer(Int(group))),
                ], detail: descriptors.map { "\($0)" }.joined(separator: ",") + " for gid \(group)")
        case .isolateMounts: OperationWords("isolate_mounts", "take mounts out of propagation")

        case .fill(let slot, let filling, let promise): filling.words(of: slot, promise)
        case .beginRoot(let slot):
            OperationWords("begin_root", "begin the tree of the jail", [("slot", .integer(slot))])
        case .attach(let slot, let target, _):
            OperationWords("attach", "mount \(target)", [("slot", .integer(slot)), ("target", .string(target))])
        case .makeDirectory(let target, let mode, let keepsMode):
            OperationWords(
                "make_directory", "directory \(target)",
                [("target", .string(target)), ("mode", mode.map { .string(octal($0)) } ?? .null)],
                detail: keepsMode ? "as it is where it is there" : "")
        case .makeSymlink(let target, let to):
            OperationWords(
                "make_symlink", "symlink \(target) to \(to)", [("target", .string(target)), ("to", .string(to))])
        case .hide(let target): OperationWords("hide", "hide \(target)", shut(target))
        case .mask(let target): OperationWords("mask", "hide \(target)", shut(target))
        case .protect(let target): OperationWords("protect", "protect \(target)", shut(target))
        case .pin(let target, let attributes, let isMade):
            OperationWords(
                "pin", "pin \(target)",
                [("target", .string(target)), ("attributes", attributes.json), ("made", .boolean(isMade))])
        case .protectFile(let target, let file):
            OperationWords(
                "protect_file", "protect \(target)", [("target", .string(target)), ("file", .string(file.path))],
                detail: "ro")
        case .seal(let slots):
            OperationWords("seal", "make what was built read-only", [("slots", .array(slots.map { .integer($0) }))])
        case .openQueues: OperationWords("open_queues", "open the message queues of the jail")
        case .switchRoot: OperationWords("switch_root", "switch to the tree of the jail")

        case .setIdentity(let user, let group):
            OperationWords(
                "set_identity", "become uid \(user) gid \(group)",
                [("user", .integer(Int(user))), ("group", .integer(Int(group)))])
        case .setGroups(let groups):
            OperationWords(
                "set_groups",
                groups.isEmpty
                    ? "drop supplementary groups" : "set groups " + groups.map { "\($0)" }.joined(separator: " "),
                [("groups", .array(groups.map { .integer(Int($0)) }))])
        case .setHostName(let name):
            OperationWords("set_host_name", "set hostname \(name)", [("name", .string(name))])
        case .openPort(let publication):
            OperationWords(
                "open_port", "listen at \(publication.outerWords)", [("port", .string(publication.outerWords))])
        case .publish(let publications): Publication.words(publications)
        case .provideNetwork(let provision): provision.words
        case .awaitNetwork(let provision): provision.waitingWords
        case .bringUpLoopback: OperationWords("bring_up_loopback", "bring up loopback")
        case .setNice(let nice): OperationWords("set_nice", "set nice \(nice)", [("nice", .integer(Int(nice)))])
        case .setAffinity(let cpus):
            OperationWords(
                "set_affinity", "set cpus " + cpus.map { "\($0)" }.joined(separator: ","),
                [("cpus", .array(cpus.map { .integer($0) }))])
        case .lockFile(let path): OperationWords("lock_file", "lock \(path)", [("path", .string(path))])
        case .holdNamespaces(let kinds):
            OperationWords(
                "hold_namespaces", "hold the jail's namespaces",
                [("kinds", .array(kinds.map { .string($0.rawValue) }))])
        case .newKeyring: OperationWords("new_keyring", "new session keyring")
        case .setInheritedAttributes(let wanted): wanted.words
        case .startSession(let terminal): terminal.words
        case .giveGroup(let user, let group):
            OperationWords(
                "give_group", "give the jail its cgroup",
                [("user", .integer(Int(user))), ("group", .integer(Int(group)))],
                detail: "to uid \(user) gid \(group)")

        case .dropBounding(let kept):
            OperationWords(
                "drop_bounding", "drop the bounding set", [("keeping", kept.json)], detail: "keeping " + kept.text)
        case .setSecureBits(let bits):
            OperationWords(
                "set_secure_bits", "set securebits", [("bits", .array(bits.names.map { .string($0) }))],
                detail: bits.names.isEmpty ? "none" : bits.names.joined(separator: ","))
        case .forbidNewPrivileges: OperationWords("forbid_new_privileges", "set no_new_privs")
        case .refuseNamespaces(let others):
            OperationWords(
                "refuse_namespaces", "refuse namespaces by a filter" + others.map { ", \($0.name) calls too" }.joined())
        case .startCommand: OperationWords("start_command", "start the command's process")
        case .setResourceLimit(let resource, let soft, let hard):
            OperationWords(
                "set_resource_limit", "set rlimit \(resource.name)",
                [("resource", .string(resource.name)), ("soft", JSON(limit: soft)), ("hard", JSON(limit: hard))],
                detail: "\(limitWord(soft)):\(limitWord(hard))")
        case .setUmask(let mask):
            OperationWords("set_umask", "set umask", [("umask", .string(octal(mask)))], detail: octal(mask))
        case .keepToTree(let rules): rules.words
        case .createRuleset(let handled):
            OperationWords(
                "create_ruleset", "begin the landlock rules",
                [("closing", .array(handled.names.map { .string($0) }))],
                detail: "closing " + handled.names.joined(separator: ","))
        case .allowPath(let path, let access):
            OperationWords(
                "allow_path", "landlock \(path)",
                [("path", .string(path)), ("access", .array(access.names.map { .string($0) }))],
                detail: access.names.joined(separator: ","))
        case .allowPort(let port, let use):
            OperationWords(
                "allow_port", "landlock \(use.word) \(port)",
                [("port", .integer(Int(port))), ("use", .string(use.word))])
        case .joinJail(let kinds):
            OperationWords(
                "join_jail", "join the jail's namespaces", [("kinds", .array(kinds.map { .string($0.rawValue) }))],
                detail: kinds.map(\.rawValue).joined(separator: " "))
        case .enforceHeld(let step, _):
            OperationWords("enforce_held", "enforce the jail's landlock rules", [("step", .integer(step + 1))])
        case .enforceRuleset: OperationWords("enforce_ruleset", "enforce the landlock rules")
        case .setCapabilities(let sets): sets.words
        case .dieWithParent: OperationWords("die_with_parent", "die with the parent")
        case .closeDescriptors(let kept):
            OperationWords(
                "close_descriptors", "close descriptors", [("keeping", .array(kept.map { .integer(Int($0)) }))],
                detail: "keeping " + ([0, 1, 2] + kept).map { "\($0)" }.joined(separator: ","))
        case .resetSignals: OperationWords("reset_signals", "reset signals")
        case .changeDirectory(let path):
            OperationWords("change_directory", "enter \(path)", [("path", .string(path))])
        case .nameProcess(let names):
            OperationWords(
                "name_process", "set \(names.joined(separator: ", ")) to the command's process id",
                [("variables", .array(names.map { .string($0) }))])
        case .installFilter(let program): program.words
        case .installPrograms(let descriptors):
            OperationWords(
                "install_programs", "install compiled filters",
                [("descriptors", .array(descriptors.map { .integer(Int($0)) }))],
                detail: "from " + descriptors.map { "\($0)" }.joined(separator: ","))
        case .execute(let arguments, let name, let environment):
            OperationWords(
                "execute", "execute \(arguments.first ?? "")",
                [
                    ("arguments", .array(arguments.map { .string($0) })),
                    ("environment", .array(environment.map { .string($0) })),
                ] + (name.map { [("name", .string($0))] } ?? []),
                detail: (name.map { "as \($0), " } ?? "")
                    + "\(arguments.count) argument\(arguments.count == 1 ? "" : "s"), \(environment.count) variables")
        }
    }
}

/// What stands on a target of which nothing is to be used.
private func shut(_ target: String) -> [(String, JSON)] {
    [("target", .string(target)), ("attributes", MountAttributes.shut.json)]
}

/// Permissions as people write them.
func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }

/// A limit, where nil stands for unlimited.
private func limitWord(_ limit: UInt64?) -> String { limit.map { "\($0)" } ?? "unlimited" }

extension JSON {
    /// A limit, where nil stands for unlimited.
    fileprivate init(limit: UInt64?) {
        guard let limit else {
            self = .string("unlimited")
            return
        }
        self = Int(exactly: limit).map { .integer($0) } ?? .string("\(limit)")
    }
}
