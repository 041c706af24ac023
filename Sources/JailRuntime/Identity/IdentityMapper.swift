import JailPlan
import JailSpec
import Kernel
import SpecFile

/// Writes uid_map and gid_map of a process, user_namespaces(7).
struct IdentityMapper {
    let maps: IdentityMaps
    private let users: String
    private let groups: String

    /// Words everything now: the jail stands still from the moment that it is made until its maps are written.
    init(_ maps: IdentityMaps) {
        self.maps = maps
        users = Self.text(maps.users)
        groups = Self.text(maps.groups)
    }

    /// Writes the maps of `process` (a pid or `self`) directly, or through newuidmap and newgidmap.
    func write(by proc: HostProc?, process: String) throws(Failure) {
        if case .helpers = maps.writer {
            try runHelper("newuidmap", maps.users, process, call: .newuidmap)
            try runHelper("newgidmap", maps.groups, process, call: .newgidmap)
            guard isVerified else { return }
        }
        guard let proc else { throw Failure(.notProcfs, text: "/proc") }
        if case .helpers = maps.writer {
            try proc.check(users, in: process + "/uid_map")
            return try proc.check(groups, in: process + "/gid_map")
        }
        // Before gid_map: the kernel refuses an unprivileged gid_map while setgroups is allowed (CVE-2014-8989).
        if maps.denySetgroups { try proc.write("deny", to: process + "/setgroups") }
        // All lines in one write: a map can be written once.
        try proc.write(users, to: process + "/uid_map")
        try proc.write(groups, to: process + "/gid_map")
    }

    static func text(_ ranges: [Identity.Range]) -> String {
        var text = ""
        for range in ranges {
            text += String(decimal: UInt64(range.inside)) + " " + String(decimal: UInt64(range.outside))
            text += " " + String(decimal: UInt64(range.count)) + "\n"
        }
        return text
    }

    private func runHelper(
        _ name: String, _ ranges: [Identity.Range], _ process: String, call: Call
    ) throws(Failure) {
        var arguments = [name, process]
        for range in ranges { arguments += ["\(range.inside)", "\(range.outside)", "\(range.count)"] }
        let helper = try Helpers.find(name, call: call)
        let (status, output) = try Helpers.run(helper, arguments)
        guard status == .exited(0) else {
            let words = output.split(separator: "\n").first.map(String.init) ?? "\(name) failed"
            throw Failure(.helperFailed, call: call, text: words)
        }
    }
}

extension Applier {
    /// Of the process that was made outside of this one, or of this one itself.
    func mapIdentities(_ wanted: IdentityMaps) throws(Failure) {
        let mapper = maps ?? IdentityMapper(wanted)
        try mapper.write(by: hostProc, process: mapped > 0 ? String(decimal: UInt64(mapped)) : "self")
    }
}
