import JailPlan
package import JailSpec
import Kernel
package import SpecFile

/// The changes that an overlay has kept, opened from outside for `diff`, `apply` and `discard`: nobody else has them while this
/// lives.
package struct KeptChanges {
    let upper: Int32
    let work: Int32
    private(set) var lowers: [Int32]
    /// The targets of the spec's mounts.
    private let targets: [String]
    private let place: KeptPlace
    private let found: KeptPlace.Found
    /// nil where no launch has left one, or it cannot be read and need not be.
    let record: OverlayRecord?
    /// Whether a launch has left one.
    let isRecorded: Bool
    /// Where an apply has worked; it is read where that is asked.
    let placed: PlacedDirectories
    /// Whether this process has the ids of the jail.
    var isMapped = false

    /// The overlays of a spec whose changes are kept, by their targets.
    package static func kept(in spec: Spec) -> [Mount] { spec.filesystem.keptOverlays }

    /// Opens the layers of an overlay and takes the lock. `targets` are those of all mounts of the spec; `needsLowers`: what is thrown
    /// away needs no original.
    package init(of mount: Mount, among targets: [String] = [], needsLowers: Bool = true) throws(Diagnostic) {
        self.targets = targets
        guard case .overlay(let lower, let upper?, let work?) = mount.source else {
            throw Diagnostic("\(mount.target) keeps no changes", at: mount.position)
        }
        place = KeptPlace(upper: upper, work: work, following: Self.rule, isRoot: effectiveUser() == 0)
        do throws(Failure) {
            self.work = try Self.kept(work) { [place] () throws(Failure) in try place.work.open().release() }
            guard try failing({ [work = self.work] () throws(KernelError) in try takeLock(work) }) else {
                throw Failure(telling: "\(work): in use by a jail, or by another immure", hint: nil)
            }
            placed = PlacedDirectories(in: self.work)
            found = try Self.kept(upper) { [place, work = self.work] () throws(Failure) in try place.find(in: work) }
            self.upper = found.upper
            let text = try OverlayRecord.text(in: self.work)
            isRecorded = text != nil
            record = try text.flatMap { (text) throws(Failure) in try Self.record(text, isNeeded: needsLowers) }
            try record?.require(self.upper)
            var opened: [Int32] = []
            if needsLowers { for path in lower { opened.append(try Self.openLower(path, following: Self.rule)) } }
            lowers = opened
            if needsLowers { try requireSame() } else { try requireRecorded() }
        } catch {
            throw Self.diagnostic(error, mount)
        }
    }

    /// What cannot be read is none where everything is to be thrown away.
    private static func record(
        _ text: (bytes: [UInt8], isEmptying: Bool), isNeeded: Bool
    ) throws(Failure) -> OverlayRecord? {
        do throws(Failure) {
            return try OverlayRecord.parse(text)
        } catch {
            if isNeeded { throw error }
            return nil
        }
    }

    /// Whether an apply, or the emptying after one or for a discard, was begun and not ended.
    package var isUnfinished: Bool { record.map { $0.isApplying || $0.isEmptying } ?? false }

    private static var rule: LinkRule { LinkRule(user: effectiveUser(), isRoot: effectiveUser() == 0) }

    private static func kept<Result>(
        _ path: String, _ find: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(Failure) {
            return try find()
        } catch {
            guard case .kernel = error.cause, error.errno == .noEntry else { throw error }
            throw Failure(telling: "there is no \(path): no launch of this spec has kept changes there yet", hint: nil)
        }
    }

    /// Whether upper is in the work directory, and the spec's name for it a link.
    var isInWork: Bool { found.isInside }

    /// Whether no other user of the host comes to what is kept.
    var isShut: Bool { found.isShut }

    /// What other users of the host may have changed is not put into the original.
    func requireShut() throws(Failure) {
        guard found.isShut else { throw try place.isOpen(found) }
    }

    /// Puts the emptied upper where its name is.
    func moveOut() throws(KernelError) { try place.moveOut(found, of: work) }

    /// A lower, to be read.
    static func openLower(_ path: String, following rule: LinkRule) throws(Failure) -> Int32 {
        let place: Int32
        do throws(WalkFault) {
            place = try HostWalk.open(path, following: rule).release()
        } catch {
            throw LinkWords.failure(error, in: nil)
        }
        defer { closeDescriptor(place) }
        return try failing { () throws(KernelError) in
            try Kernel.open(".", at: place, .read | .directory).release()
        }
    }

    /// The upper says what it changes of these directories, and of no others.
    private func requireSame() throws(Failure) {
        guard let record else { return try requireRecorded() }
        for (index, lower) in lowers.enumerated() {
            let found = try failing { () throws(KernelError) in try status(of: lower).identity }
            guard lowers.count == record.lowers.count, record.lowers[index] == [found.device, found.inode] else {
                throw Failure(telling: "the changes in upper were made over other directories than these", hint: nil)
            }
        }
    }

    /// The same with the original, which it was opened without; nil where that is not the one that the changes were made over.
    func overOriginal(of mount: Mount) throws(Failure) -> KeptChanges? {
        guard let record, case .overlay(let lower, _, _) = mount.source, let path = lower.first else { return nil }
        var result = self
        result.lowers = [try Self.openLower(path, following: Self.rule)]
        let found = try failing { () throws(KernelError) in try status(of: result.lowers[0]).identity }
        return record.lowers.first == [found.device, found.inode] ? result : nil
    }

    /// An upper that no launch has written in holds something else than changes.
    private func requireRecorded() throws(Failure) {
        if isRecorded { return }
        guard try failing({ () throws(KernelError) in try entryNames(of: upper).isEmpty }) else {
            throw try place.isUnknown(upper)
        }
    }

    /// The words of a failure, in the name of the overlay.
    static func diagnostic(_ failure: Failure, _ mount: Mount) -> Diagnostic {
        let explained = Explanation(failure, of: Plan(), evidence: .host).told
        return Diagnostic(
            "overlay on \(mount.target): \(explained.reason)", at: mount.position, hint: explained.hint)
    }

    /// What is changed, sorted by path. `compared`: with what new names are copies of, and whether the jail has seen the directories
    /// that changes are in.
    package func changes(of mount: Mount, compared: Bool = false) throws(Diagnostic) -> [Change] {
        do throws(Failure) {
            let points = targets + (record?.points ?? [])
            return Change.withoutMountPoints(try found(compared: compared), at: points, in: mount.target)
        } catch {
            throw Self.diagnostic(error, mount)
        }
    }

    private func found(compared: Bool) throws(Failure) -> [Change] {
        guard let record, !record.isEmptying else { return [] }
        if compared { try placed.read() }
        let handover = try failing { () throws(KernelError) in
            try Handover(record, root: lowers[0], isMapped: isMapped)
        }
        let seen = compared ? try SeenDirectories(record, placed.known, over: lowers[0]) : nil
        let found = try failing { () throws(KernelError) in
            try ChangeWalk.changes(
                of: upper, over: lowers, prefix: record.attributes + ".overlay.", root: record.roots?.upper, seen: seen,
                handover: handover)
        }
        // What a killed apply has left in a directory that is opaque is nothing that the jail has deleted.
        guard let draft = record.draft.map({ EntryName(Array($0.utf8)) }) else { return found }
        return found.filter { change in !(change.path.last?.isDraft(of: draft) ?? false) }
    }
}
