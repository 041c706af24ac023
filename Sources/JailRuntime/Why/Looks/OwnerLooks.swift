import JailLearn
import JailPlan
import JailSpec
import Kernel
import SpecFile

/// Looks at a call that the filter refuses as it gives a file to whom the jail does not have: no call gives it to that one.
struct OwnerLooks {
    let scene: JailScene
    let thread: ThreadState

    private typealias Wanted = (file: SubordinateFile, id: UInt32)

    private static let ranges = "identity = { user = 0, uid_map = \"auto\", gid_map = \"auto\" }"

    /// nil where the jail has both, the user and the group.
    func look(_ question: Question, _ name: String) -> Denial? {
        let index = name == "fchownat" ? 2 : 1
        func id(_ place: Int) -> UInt32 { UInt32(truncatingIfNeeded: question.arguments[place]) }
        let both: [Wanted] = [(.subuid, id(index)), (.subgid, id(index + 1))]
        // (uid_t) -1 leaves it as it is.
        let wanted = both.filter { $0.id != .max }
        guard let lacking = wanted.first(where: { !thread.maps($0.id, by: $0.file.map) }) else { return nil }
        let lacks = "as the jail has no \(lacking.file.noun) \(lacking.id)"
        if wanted.allSatisfy({ $0.id == 0 }), scene.mayBeRootOfItsOwn, isOwn(question, name) {
            return Denial(
                .refused, name, remark: "\(lacks), which the command itself can be", line: "identity.user = 0")
        }
        let files = [SubordinateFile.subuid, .subgid]
        let empty = files.filter { count(of: $0) == 0 }
        // A range that is made for the caller has as many.
        let isInReach = wanted.allSatisfy { wanted in
            let given = count(of: wanted.file)
            return wanted.id < (given == 0 ? UInt64(SubordinateRoom.count) : given)
        }
        guard isInReach else { return Denial(.refused, name, remark: "\(lacks), nor does \"auto\" give it one") }
        let remark = "\(lacks), and to give files away takes capabilities.keep = [\"chown\"]"
        if empty.isEmpty { return Denial(.refused, name, remark: remark, line: Self.ranges) }
        let remedies = empty.map(Evidence.host.rangeRemedy(in:)).joined(separator: "; ")
        return Denial(.refused, name, remark: remark, advice: "\(remedies); then \(Self.ranges)")
    }

    /// How many ids "auto" gives the jail, from 0 on.
    private func count(of file: SubordinateFile) -> UInt64 {
        do throws(KernelError) {
            let name = Accounts.users(try Accounts.read("etc/passwd", below: "/"), wanted: .id(scene.caller)).first?
                .name
            let text = try Accounts.read("etc/" + file.rawValue, below: "/")
            return Accounts.subordinates(text, name: name ?? "", id: scene.caller).reduce(0) { $0 + UInt64($1.count) }
        } catch {
            return 0
        }
    }

    /// Whether the file is the command's own, which a change to the owner that it has leaves as it is.
    private func isOwn(_ question: Question, _ name: String) -> Bool {
        let words = question.arguments
        let isAt = name == "fchownat"
        var path = ""
        if name != "fchown" {
            guard let text = thread.path(at: words[isAt ? 1 : 0]) else { return false }
            path = text
        }
        if path.utf8.first != UInt8(ascii: "/") {
            let start = name == "fchown" || isAt ? Int32(truncatingIfNeeded: words[0]) : nil
            guard let directory = thread.start(start) else { return false }
            path = path.isEmpty ? directory : directory + "/" + path
        }
        do throws(KernelError) {
            return try thread.reach(path).status.owner == thread.user
        } catch {
            return false
        }
    }
}

extension SubordinateFile {
    /// The file of procfs that has the map, and what its numbers are.
    fileprivate var map: String { if case .subuid = self { "uid_map" } else { "gid_map" } }
    fileprivate var noun: String { if case .subuid = self { "uid" } else { "gid" } }
}
