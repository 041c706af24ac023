import JailSpec
import SpecFile

/// A command line of `docker run` as a spec over the image's file system, which another command unpacks.
///
/// What docker adds without a word is left at the jail's own default where that is closer: the user is not root, the filter is
/// immure's, no capability is held but those that are added.
package struct DockerImport {
    var draft: Draft
    let context: ImportContext
    let line: DockerOptions.Line
    /// What is shown, each over what is there.
    var mounts = MountList()
    /// The directory that the image is unpacked into, as the spec names it.
    let root: String
    /// Whether the line is podman's, which gives a user other than root what is added.
    private(set) var isOfPodman = false
    /// What the image has run, before the words after its name.
    private var entrypoint: (words: [String], directive: Directive)?

    /// `words` begin with `run`, `docker run` or `docker container run`; `directory` is where the image is unpacked, absolute.
    package static func draft(_ words: [String], in directory: String?, _ context: ImportContext) -> Draft {
        var rest = words[...]
        let isOfPodman = rest.first.map { $0 == "podman" || $0.hasSuffix("/podman") } == true
        if rest.first.map({ ["docker", "podman"].contains($0) || $0.hasSuffix("/docker") || $0.hasSuffix("/podman") })
            == true
        {
            rest = rest.dropFirst()
        }
        if rest.first == "container" { rest = rest.dropFirst() }
        guard rest.first == "run" else {
            var draft = Draft()
            draft.fail("no command line of docker run, which follows after --", at: nil)
            return draft
        }
        var imported = DockerImport(Array(rest.dropFirst()), directory, context)
        imported.isOfPodman = isOfPodman
        imported.write()
        return imported.draft
    }

    private init(_ words: [String], _ directory: String?, _ context: ImportContext) {
        self.context = context
        draft = Draft()
        if let directory, context.exists(directory + "/image/index.json") {
            let image = OCIImageImport.read(directory + "/image", in: directory, context)
            (draft, entrypoint) = (image.draft, image.entrypoint)
        }
        root = (directory.map(literal) ?? "${PWD}/image") + "/rootfs"
        line = DockerOptions.read(words, into: &draft)
    }

    func standard(_ words: String) -> Directive { Draft.standard("docker", words) }
    func all(_ name: String) -> [DockerOptions.Option] { line.options.filter { $0.name == name } }

    /// The last one, which is the one that counts.
    mutating func last(_ name: String) -> DockerOptions.Option? {
        let found = all(name)
        for earlier in found.dropLast() {
            if let last = found.last {
                draft.warn("has no effect: \(last.directive.reference) comes later", earlier.directive)
            }
        }
        return found.last
    }

    private mutating func write() {
        guard draft.faults.isEmpty else { return }
        guard let image = line.image else { return draft.fail("no image", at: nil) }
        for option in line.options {
            switch DockerOptions.flags[option.name] ?? DockerOptions.valued[option.name] {
            case .outside(let reason)?: draft.isOutside(reason, option.directive)
            case .inForce(let reason)?: draft.isInForce(.nothing, reason, option.directive)
            case .lost(let reason)?: draft.lose(reason, option.directive)
            case .lostRestriction(let reason)?: draft.lose(reason, restricts: true, option.directive)
            case .read?, nil: break
            }
        }
        writeRoot(image)
        writeMounts()
        writeProcess(image.directive)
        writeIdentity()
        writeNetwork()
        writeSecurity()
        writeLimits()
        writePlaces()
        mounts.write(into: &draft)
        draft.finish()
    }

    private mutating func writeRoot(_ image: (name: String, directive: Directive)) {
        draft.set("filesystem.root", .string(root), image.directive)
        let directory = root.hasSuffix("/rootfs") ? String(root.dropLast(7)) : root
        if !draft.notes.contains(where: { $0.directive.position.file.hasSuffix("config.json") }), !draft.has("command")
        {
            draft.warn(
                "the image is unpacked first, and what it says of its program is read with --into: docker save -o image.tar "
                    + "\(shellWord(image.name)) && immure import oci image.tar --into \(directory.after("${PWD}/") ?? directory)",
                image.directive)
        }
        let closed = all("read-only"), thrown = all("rm")
        for option in closed { draft.isInForce(.readOnly("/"), option.directive) }
        for option in thrown { draft.isInForce(.nothing, option.directive) }
        guard closed.isEmpty else { return }
        let origin = thrown.last?.directive ?? standard("the root can be written to")
        draft.set("filesystem.changes", .string("discard"), origin)
        if thrown.isEmpty {
            draft.warn("what is written to the root is gone when the jail ends, not when it is removed", origin)
        }
    }

    private mutating func writeProcess(_ image: Directive) {
        writeCommand(image)
        for option in all("env-file") {
            guard let text = context.read(option.value) else {
                draft.fail("cannot read \(quoted(option.value))", option.directive)
                continue
            }
            draft.isPart(option.directive)
            for entry in ImportSource(name: option.value, text: text).lines
            where !entry.isEmpty && !entry.hasPrefix("#") {
                setVariable(entry, option.directive)
            }
        }
        // What the command line says holds, wherever the files stand on it.
        for option in all("env") { setVariable(option.value, option.directive) }
        if let option = last("workdir") { draft.set("cwd", .string(literal(option.value)), option.directive) }
        if let option = last("hostname") { draft.set("hostname", .string(option.value), option.directive) }
        if let option = last("stop-signal") {
            if Available.takes("process.stop_signal", .string(option.value)) {
                draft.set("process.stop_signal", .string(option.value), option.directive)
            } else {
                draft.lose("the signal \(quoted(option.value))", option.directive)
            }
        }
        if let option = last("stop-timeout") {
            if let seconds = UInt32(option.value) {
                draft.set("grace", .string("\(seconds)s"), option.directive)
            } else {
                draft.lose("no end of the wait", option.directive)
            }
        }
        if let option = last("oom-score-adj") { integer("process.oom_score_adj", option) }
    }

    /// The entry point and the words after the image's name. One that is given takes the place of all that the image says of its
    /// command, as docker has it.
    private mutating func writeCommand(_ image: Directive) {
        guard let option = last("entrypoint") else {
            guard !line.command.isEmpty else { return }
            return draft.set(
                "command", .strings((entrypoint?.words ?? []) + line.command), entrypoint?.directive ?? image)
        }
        let command = (option.value.isEmpty ? [] : [option.value]) + line.command
        draft.isPart(option.directive)
        guard !command.isEmpty else { return draft.fail("no command is left of the image's", option.directive) }
        draft.set("command", .strings(command), option.directive)
    }

    /// `NAME=VALUE`, or a name whose value is the caller's.
    private mutating func setVariable(_ entry: String, _ directive: Directive) {
        let (name, value) = entry.cut("=")
        if let value {
            draft.setLiteral(name, value, directive)
        } else {
            draft.append("environment.keep", name, directive)
        }
    }

    mutating func integer(_ key: String, _ option: DockerOptions.Option) {
        guard let number = Int64(option.value) else {
            return draft.fail("\(quoted(option.value)) is not a number", option.directive)
        }
        draft.set(key, .integer(number), option.directive)
    }

    private mutating func writeIdentity() {
        if let option = last("user") {
            let (user, group) = option.value.cut(":")
            if let uid = Int64(user), group.map({ Int64($0) != nil }) ?? true {
                draft.set("identity.user", .integer(uid), option.directive)
                draft.set("identity.group", .integer(group.flatMap { Int64($0) } ?? 0), option.directive)
                if uid != 0, group == nil {
                    draft.warn("the group is 0; the image may have another for that user", option.directive)
                }
            } else {
                draft.fail("names are the image's: --user takes numbers here, UID:GID", option.directive)
            }
        } else if !draft.has("identity.user"), !draft.notes.contains(where: { $0.reason.hasPrefix("not root") }) {
            draft.warn(
                "not root, as docker's is: whoever launches, or nobody where that is root; identity.user = 0 makes it root in "
                    + "the jail", standard("without --user"))
        }
        for option in all("group-add") {
            if let number = Int64(option.value) {
                draft.append("identity.groups", [.integer(number)], option.directive)
            } else {
                draft.fail("names are the image's: --group-add takes a number here", option.directive)
            }
        }
    }
}
