import JailPlan
import JailSpec
import Kernel
import SpecFile

/// Writes uid_map and gid_map of a process, user_namespaces(7).
struct IdentityMapper {
    let maps: IdentityMaps
    private let users: String
    private let groups: String
    /// newuidmap and newgidmap, where they write.
    private var programs: (users: HostProgram, groups: HostProgram)?

    /// Words everything and opens the programs now: the jail stands still from the moment that it is made until its maps are
    /// written.
    init(_ maps: IdentityMaps) throws(Failure) {
        self.maps = maps
        users = Self.text(maps.users)
        groups = Self.text(maps.groups)
        guard case .helpers = maps.writer else { return }
        programs = (try .find("newuidmap", call: .newuidmap), try .find("newgidmap", call: .newgidmap))
    }

    /// Writes the maps of `process` (a pid or `self`) directly, or through newuidmap and newgidmap.
    func write(by applier: Applier, process: String) throws(Failure) {
        if let programs {
            try run(programs.users, maps.users, process, call: .newuidmap, applier)
            try run(programs.groups, maps.groups, process, call: .newgidmap, applier)
            guard isVerified else { return }
        }
        guard let proc = applier.hostProc else { throw Failure(.notProcfs, text: "/proc") }
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

    private func run(
        _ program: HostProgram, _ ranges: [Identity.Range], _ process: String, call: Call, _ applier: Applier
    ) throws(Failure) {
        var arguments = [program.name, process]
        for range in ranges { arguments += ["\(range.inside)", "\(range.outside)", "\(range.count)"] }
        var helper = try HelperProcess.start(HelperOrder(program: program, arguments: arguments)) {
            applier.descriptorTableSize
        }
        guard try helper.finish(noticing: applier.signals) == .exited(0) else {
            throw Failure(.helperFailed, call: call, text: helper.lastWords)
        }
    }
}

extension Applier {
    /// Of the process that was made outside of this one, or of this one itself.
    mutating func mapIdentities(_ wanted: IdentityMaps, of plan: Plan) throws(Failure) {
        let mapper: IdentityMapper
        if let maps { mapper = maps } else { mapper = try IdentityMapper(wanted) }
        let process = mapped > 0 ? String(decimal: UInt64(mapped)) : "self"
        try mapper.write(by: self, process: process)
        // The process still waits for its ids, and is still dumpable.
        guard mapped > 0, plan.givesGroup else { return }
        let proc = try proc()
        leaf?.users = try failing { () throws(KernelError) in
            try open("\(process)/ns/user", at: proc.descriptor, .read).release()
        }
    }
}
