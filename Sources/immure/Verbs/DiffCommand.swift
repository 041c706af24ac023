import ArgumentParser
import JailPlan
import JailRuntime
import JailSpec
import SpecFile

/// `immure diff`: what an overlay that keeps its changes has changed.
struct DiffCommand: ParsableCommand {
    static let configuration = Verb.diff.configuration()

    @OptionGroup var overlay: OverlayOptions

    @Flag(help: "print an array of changes as JSON")
    var json = false

    @Flag(name: .customShort("z"), help: "end each line with a zero byte and print paths as they are")
    var zero = false

    @Flag(help: "print only how many there are of each kind")
    var stat = false

    func run() throws {
        do throws(Rejection) {
            let (mount, targets, _) = try overlay.mount()
            let changes: [Change]
            do throws(Diagnostic) {
                let kept = try KeptChanges(of: mount, among: targets).worker(of: mount)
                Report.note(try kept.leftovers(of: mount))
                changes = try kept.changes(of: mount)
            } catch {
                throw Rejection([error])
            }
            show(changes)
            Caller.leave(changes.isEmpty ? 0 : 1)
        } catch {
            OverlayOptions.leave(error.diagnostics)
        }
    }

    private func show(_ changes: [Change]) {
        if stat { return Caller.show(ChangeCount(changes).text + "\n") }
        let changes = Change.listed(changes)
        if json { return Caller.show(JSON.array(changes.map { $0.json() }).lines) }
        if zero {
            for change in changes {
                Caller.show(bytes: Array((change.kind.rawValue + " ").utf8) + change.bytes() + [0])
            }
            return
        }
        Caller.show(changes.map { $0.line() + "\n" }.joined())
    }
}

/// `immure apply`: puts kept changes into the original.
struct ApplyCommand: ParsableCommand {
    static let configuration = Verb.apply.configuration()

    @OptionGroup var overlay: OverlayOptions

    @Flag(help: "only say what stands against it")
    var check = false

    @Flag(help: "leave out what the original has changed, too")
    var skipConflicts = false

    @Flag(help: "go over what the original has changed")
    var force = false

    func run() throws { perform([]) }

    /// `paths`: only what is at or below these.
    func perform(_ paths: [String]) -> Never {
        do throws(Rejection) {
            if skipConflicts && force {
                throw Rejection([Diagnostic("--skip-conflicts and --force say opposite things", at: nil)])
            }
            let (mount, targets, files) = try overlay.mount()
            do throws(Diagnostic) {
                try apply(mount, targets, paths, sparing: OwnSpec(files))
            } catch {
                throw Rejection([error])
            }
        } catch {
            OverlayOptions.leave(error.diagnostics)
        }
    }

    private func apply(
        _ mount: Mount, _ targets: [String], _ paths: [String], sparing own: OwnSpec
    ) throws(Diagnostic) -> Never {
        let kept = try KeptChanges(of: mount, among: targets).worker(of: mount)
        Report.note(try check ? kept.leftovers(of: mount) : kept.recover(of: mount))
        let all = try kept.changes(of: mount, compared: true)
        var changes = try ChosenPaths(all, of: mount).changes(at: paths)
        if all.isEmpty, !kept.isUnfinished { Caller.leave(0) }
        var application = try ChangeApplication(kept, of: mount, sparing: own)
        let (conflicts, unknown) = try application.conflicts(of: changes)
        if !force, let words = Deletions.words(of: unknown) { Report.say(Diagnostic(words, at: nil), as: .note) }
        if !conflicts.isEmpty && !force {
            for conflict in conflicts { Report.say(Diagnostic("conflict: \(conflict.line)", at: nil), as: .plain) }
            guard skipConflicts, !check else { Caller.leave(1) }
            // With a name goes what is below it; the mode of a directory that stays is by itself.
            changes.removeAll { change in
                conflicts.contains { $0.isAlone ? change.path == $0.path : change.path.starts(with: $0.path) }
            }
            changes = Change.needed(changes)
        }
        if check { Caller.leave(0) }
        try application.apply(changes, empties: changes.count == all.count)
        Report.note(
            application.leftOut.map { "left out: \($0.line)" } + application.copied.map { "copied: \($0.line)" })
        Caller.leave(0)
    }
}

/// `immure discard`: throws kept changes away.
struct DiscardCommand: ParsableCommand {
    static let configuration = Verb.discard.configuration()

    @OptionGroup var overlay: OverlayOptions

    func run() throws {
        do throws(Rejection) {
            let mount = try overlay.mount().mount
            do throws(Diagnostic) {
                let kept = try KeptChanges(of: mount, needsLowers: false).worker(of: mount)
                Report.note(try kept.discard(of: mount))
            } catch {
                throw Rejection([error])
            }
            Caller.leave(0)
        } catch {
            OverlayOptions.leave(error.diagnostics)
        }
    }
}
