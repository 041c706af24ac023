import ArgumentParser
import JailPlan
import JailRuntime
import JailSpec
import SpecFile

/// Which overlay `diff`, `apply` and `discard` are about.
struct OverlayOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("override a key of the spec; the value is TOML; repeatable", valueName: "key.path=value"),
        completion: SettableKeys.completion)
    var overrides: [String] = []

    @Argument(help: "the spec file", completion: .file())
    var spec: String

    @Argument(help: "the target of the overlay, where the spec has several")
    var target: String?

    /// The overlay with its changes, there must be one, the targets of all mounts, and the files that say so.
    func mount() throws(Rejection) -> (mount: Mount, targets: [String], files: FilesRead) {
        let surroundings = Caller.surroundings()
        let files = FilesRead(toLaunch: false)
        let document = try Document.load(
            path: spec, overrides: overrides, in: surroundings,
            reading: { (path) throws(Diagnostic) in try files.read(path) }, translating: BundleSpec.translate)
        try Prepare.requireTrust(document)
        let decoded = try Prepare.decode(document, in: surroundings)
        if case .file(let profile)? = decoded.seccomp?.value.profile?.value { files.note(profile) }
        let kept = KeptChanges.kept(in: decoded)
        let targets = decoded.filesystem.mounts.map(\.target)
        if let target {
            // As the spec's are: without a slash at the end.
            let wanted = target.utf8.first == UInt8(ascii: "/") ? cleaned(target) : target
            if let mount = kept.first(where: { $0.target == wanted }) { return (mount, targets, files) }
            throw Rejection([
                Diagnostic("\(spec) keeps no changes of \(quoted(target))", at: nil, hint: Self.list(kept))
            ])
        }
        guard let mount = kept.first else {
            throw Rejection([
                Diagnostic(
                    "\(spec) keeps no changes", at: nil,
                    hint: "give an overlay upper and work; what is thrown away is listed by immure run --changes -")
            ])
        }
        guard kept.count == 1 else {
            throw Rejection([
                Diagnostic("\(spec) keeps the changes of several overlays", at: nil, hint: Self.list(kept))
            ])
        }
        return (mount, targets, files)
    }

    private static func list(_ kept: [Mount]) -> String? {
        kept.isEmpty ? nil : "name one of \(kept.map { quoted($0.target) }.joined(separator: ", "))"
    }

    /// Says what has gone wrong, and leaves with 125.
    static func leave(_ faults: [Diagnostic]) -> Never {
        for fault in faults { Report.say(fault) }
        Caller.leave(125)
    }
}
