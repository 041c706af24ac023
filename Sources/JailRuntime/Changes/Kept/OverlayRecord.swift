import JailPlan
import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// `immure.json` in the work directory of a kept overlay: what its upper changes, and since when.
struct OverlayRecord {
    static let name: EntryName = "immure.json"
    /// What it is called from when the upper is emptied for good until that is done: half of it says nothing true. A directory that is
    /// opaque and has lost its files would say that the jail has deleted the original's. A rename takes no room on a full disk.
    static let nameOfEmptying: EntryName = "immure.emptying.json"

    /// The end of the time before the first launch whose changes are in the upper, in nanoseconds of the wall clock: what the original
    /// has changed since then is a conflict.
    var start: Int64
    /// When the last launch began, and its process.
    var launched: Int64
    var process: Int
    /// Device and inode of each lower, the uppermost first.
    var lowers: [[UInt64]]
    /// The inode of the upper; nil in a record of a version that did not write it.
    var upper: UInt64?
    /// What the upper and the first lower were before the first launch; nil in a record of a version that did not write it.
    var roots: (upper: RootState, lower: RootState)?
    /// `user` or `trusted`: which attributes overlayfs keeps its notes in.
    var attributes: String
    /// The id maps of the jail, inside, outside and count; empty where it had none.
    var users: [[UInt64]]
    var groups: [[UInt64]]
    /// Whom the command is on the host: what it makes belongs to that user and group.
    var owner: [UInt64]
    /// Whether the command could reach the files of all ids that the jail has, by a capability; nil where that is not known.
    var overrides: Bool?
    /// Where launches whose changes are in the upper have mounted something in it, and may have made mount points.
    var points: [String] = []
    /// Whether an apply has begun and not ended.
    var isApplying = false
    /// Whether the upper is being emptied: nothing that is left in it is a change.
    var isEmptying = false
    /// What an apply that has begun makes each name under until it is whole: no name that the jail can have known.
    var draft: String?

    var usesUserAttributes: Bool { attributes == "user" }

    /// Throws where that directory is another than the one whose changes it is about.
    func require(_ directory: Int32) throws(Failure) {
        let found = try failing { () throws(KernelError) in try status(of: directory).identity.inode }
        guard let upper, upper != found else { return }
        throw Self.otherUpper
    }

    static var otherUpper: Failure {
        Failure(
            telling: "upper is not the directory that the changes were kept in: another stands in its place",
            hint: "put that one back, or name an upper and a work of their own, which immure makes")
    }
}

extension OverlayRecord {
    init(_ layers: OverlayLayers, _ source: OverlaySource, _ plan: Plan, process: Int) throws(Failure) {
        // What was changed by now is stamped with this at most, and what will be, once `begin` has returned, with more.
        launched = wallTime()
        start = launched + 1
        self.process = process
        lowers = []
        for lower in layers.lower {
            let found = try failing { () throws(KernelError) in try status(of: lower).identity }
            lowers.append([found.device, found.inode])
        }
        (upper, roots) = try failing { () throws(KernelError) in
            (
                try status(of: layers.upper).identity.inode,
                (try RootState.known(of: layers.upper), try RootState.known(of: layers.lower[0]))
            )
        }
        attributes = source.usesUserAttributes ? "user" : "trusted"
        users = Self.numbers(plan.maps?.users)
        groups = Self.numbers(plan.maps?.groups)
        owner = Self.owner(plan)
        overrides = Self.overrides(plan)
        add(points: plan.mountTargets(below: source))
    }

    /// Names are bytes: two spellings of a letter are equal as text.
    mutating func add(points more: [String]) {
        var known: Set<[UInt8]> = []
        points = (points + more).filter { known.insert(Array($0.utf8)).inserted }
    }

    private static func overrides(_ plan: Plan) -> Bool? {
        var result: Bool?
        for step in plan.steps {
            guard case .identity(.setCapabilities(let sets)) = step.operation else { continue }
            let ways: [Capability] = [.chown, .dac_override, .dac_read_search, .fowner, .setuid]
            result = ways.contains { sets.permitted.contains($0) }
        }
        return result
    }

    private static func owner(_ plan: Plan) -> [UInt64] {
        let caller = callerIdentity()
        var (user, group) = (caller.euid, caller.gid)
        for step in plan.steps {
            guard case .identity(.setIdentity(let wantedUser, let wantedGroup)) = step.operation else { continue }
            user = outside(wantedUser, plan.maps?.users)
            group = outside(wantedGroup, plan.maps?.groups)
        }
        return [UInt64(user), UInt64(group)]
    }

    private static func outside(_ id: UInt32, _ ranges: [Identity.Range]?) -> UInt32 {
        guard let ranges else { return id }
        let range = ranges.first { $0.inside <= id && id - $0.inside < $0.count }
        return range.map { id - $0.inside + $0.outside } ?? id
    }

    private static func numbers(_ ranges: [Identity.Range]?) -> [[UInt64]] {
        (ranges ?? []).map { [UInt64($0.inside), UInt64($0.outside), UInt64($0.count)] }
    }

    private var rootsJSON: [(String, JSON)] {
        guard let roots else { return [] }
        let both = [roots.upper, roots.lower]
        func list(_ rows: [[UInt64]]) -> JSON { .array(rows.map { .array($0.map { .integer(Int(clamping: $0)) }) }) }
        var result = [("modes", list([both.map { UInt64($0.permissions) }]))]
        let owners = both.compactMap(\.owners)
        if owners.count == 2 { result.append(("root_owners", list(owners))) }
        let attributes = both.compactMap { $0.attributes.flatMap(RootState.json) }
        if attributes.count == 2 {
            result.append(("root_attributes", .array(attributes.map { .array($0.map { .string($0) }) })))
        }
        return result
    }

    private var json: JSON {
        func list(_ rows: [[UInt64]]) -> JSON { .array(rows.map { .array($0.map { .integer(Int(clamping: $0)) }) }) }
        let changed: [(String, JSON)] = upper.map { [("upper", .integer(Int(clamping: $0)))] } ?? []
        let reach: [(String, JSON)] = overrides.map { [("overrides", .boolean($0))] } ?? []
        let made: [(String, JSON)] = points.isEmpty ? [] : [("points", .array(points.map { .string($0) }))]
        let begun: [(String, JSON)] = draft.map { [("draft", .string($0))] } ?? []
        return .object(
            [
                ("version", .integer(1)), ("start", .integer(Int(start))), ("launched", .integer(Int(launched))),
                ("process", .integer(process)), ("lowers", list(lowers)), ("attributes", .string(attributes)),
                ("users", list(users)), ("groups", list(groups)), ("owner", list([owner])),
                ("applying", .boolean(isApplying)),
            ] + reach + changed + rootsJSON + made + begun)
    }

    /// Writes it, whole or not at all, and so that it is on the disk. Returns what the file is stamped with.
    @discardableResult
    func write(in work: Int32) throws(Failure) -> Int64 {
        let next: EntryName = ".immure.json"
        return try failing { () throws(KernelError) in
            if try entryStatus(next, at: work) != nil { try removeEntry(next, at: work, directory: false) }
            let file = try openEntry(next, at: work, .write | .create | .exclusive, permissions: 0o644)
            try writeAll(file.number, Array((json.text + "\n").utf8))
            if isApplying { try synchronize(file.number) }
            let written = try entryStatus(of: file.number).changed
            try moveEntry(next, at: work, to: Self.name, at: work)
            return max(written, try entryStatus(of: file.number).changed)
        }
    }

    /// What is there; nil for nothing.
    static func read(in work: Int32) throws(Failure) -> OverlayRecord? {
        try text(in: work).map { (text) throws(Failure) in try parse(text) }
    }

    /// The same; nil where it cannot be read as well.
    static func readable(in work: Int32) -> OverlayRecord? {
        do throws(Failure) {
            return try read(in: work)
        } catch {
            return nil
        }
    }

    private static func presentName(in work: Int32) throws(KernelError) -> EntryName? {
        for name in [name, nameOfEmptying] where try entryStatus(name, at: work) != nil { return name }
        return nil
    }

    /// From here on nothing in the upper is a change, and it may be emptied.
    static func beginEmptying(in work: Int32) throws(KernelError) {
        guard try presentName(in: work) == name else { return }
        try moveEntry(name, at: work, to: nameOfEmptying, at: work)
        try synchronize(work)
    }

    /// A record that this caller's launch has left, as it stands there; nil for none.
    static func text(in work: Int32) throws(Failure) -> (bytes: [UInt8], isEmptying: Bool)? {
        guard let name = try failing({ () throws(KernelError) in try presentName(in: work) }) else { return nil }
        let file = try failing { () throws(KernelError) in
            let file = try openEntry(name, at: work, .read)
            guard try status(of: file.number).isRegular else { throw KernelError(.open, .invalid, path: name.text) }
            return file
        }
        try requireOwn(file.number, "\(name.text) in work", path: nil)
        let bytes = try failing { () throws(KernelError) in try readAll(file.number, limit: 16 << 20, path: name.text) }
        return (bytes, name == nameOfEmptying)
    }

    static func parse(_ text: (bytes: [UInt8], isEmptying: Bool)) throws(Failure) -> OverlayRecord {
        do throws(Diagnostic) {
            guard var record = OverlayRecord(try parseJSON(text.bytes, file: name.text)) else {
                throw Diagnostic("not one of immure's", at: nil)
            }
            record.isEmptying = text.isEmptying
            return record
        } catch {
            throw Failure(
                telling: "\(name.text) in the work directory cannot be read: \(error.message)",
                hint: "throw the changes away: immure discard SPEC")
        }
    }

    static let draftPrefix = ".immure.apply."

    static func newDraft() throws(KernelError) -> String {
        draftPrefix + (try randomBytes(8)).map { String($0, radix: 16) }.joined()
    }
}
