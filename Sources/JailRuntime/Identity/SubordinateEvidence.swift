import JailPlan
import JailSpec
import Kernel

/// Subordinate ids, as the host's files have them.
extension Evidence {
    /// Where a range could go in one of the files.
    func room(in file: SubordinateFile) -> SubordinateRoom {
        let accounts =
            switch file {
            case .subuid: "/etc/passwd"
            case .subgid: "/etc/group"
            }
        return Accounts.room(
            in: text(file.path).map { Array($0.utf8) }, endsAmidLine: endsAmidLine(file.path),
            accounts: Array((text(accounts) ?? "").utf8))
    }

    /// Whoever started this program; maps that only root may write need no name.
    private func owner(needsName: Bool) -> SubordinateOwner {
        let passwd = Array((text("/etc/passwd") ?? "").utf8)
        return SubordinateOwner(
            name: Accounts.users(passwd, wanted: .id(uid)).first?.name ?? "", uid: uid, gid: gid, needsName: needsName)
    }

    /// The group id, from /proc/self/status.
    private var gid: UInt32 { status("Gid")?.split(separator: "\t").first.flatMap { UInt32($0) } ?? uid }

    /// What gives the caller a range.
    func rangeRemedy(in file: SubordinateFile) -> String {
        Remedy.range(room(in: file), in: file, for: owner(needsName: uid != 0))
    }

    /// What gives the caller a name; nil where it has one.
    var nameRemedy: String? {
        owner(needsName: true).name.isEmpty ? Remedy.name(forUID: uid, gid: gid) : nil
    }
}
