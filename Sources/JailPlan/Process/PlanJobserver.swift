import JailSpec
import LinuxFacts
import SpecFile

extension Planner {
    mutating func resolveJobserver() {
        let wanted = spec.process.jobserver
        guard wanted.value else { return }
        guard let found = host.jobserver else {
            return note("process.jobserver: no make(1) with a jobserver has started immure", at: wanted.position)
        }
        switch found.access {
        case .withheld: return refuseJobserver("make has kept the descriptors to itself")
        case .pipe(let read, let write):
            guard found.isThere, read > 2, write > 2 else {
                return refuseJobserver("make has closed the descriptors \(read) and \(write)")
            }
        case .fifo(let path):
            guard found.isThere else {
                return fault("process.jobserver: \(path), which MAKEFLAGS names, is no FIFO", at: wanted.position)
            }
        }
        jobserver = found
    }

    private mutating func refuseJobserver(_ why: String) {
        fault(
            "process.jobserver: \(why)", at: spec.process.jobserver.position,
            hint: "begin the recipe's line with +: make passes them on to what it takes for a make only")
    }

    /// The FIFO is the caller's: a command that is somebody else cannot open it, and it is not immure's to give away.
    mutating func checkJobserver(_ identity: ResolvedIdentity) {
        guard let jobserver, case .fifo(let path) = jobserver.access, let owner = jobserver.owner else { return }
        let own = outside(of: identity)
        guard own != owner else { return }
        fault(
            "process.jobserver: \(path) belongs to uid \(owner), and the command is uid \(own)",
            at: spec.process.jobserver.position,
            hint: "make --jobserver-style=pipe passes descriptors on, which anybody can use")
    }

    private func outside(of identity: ResolvedIdentity) -> UInt32 {
        for range in identity.maps?.users ?? []
        where identity.user >= range.inside && identity.user - range.inside < range.count {
            return range.outside + (identity.user - range.inside)
        }
        return identity.user
    }

    /// `MAKEFLAGS` for the command; nil where it has one by the spec, or there is no jobserver.
    var jobserverVariable: String? {
        guard let jobserver else { return nil }
        return "MAKEFLAGS= " + jobserver.words.joined(separator: " ")
    }
}

extension TreeBuilder {
    /// The FIFO at its own path: what MAKEFLAGS says stays true.
    mutating func placeJobserver() {
        guard needsMounts, let jobserver, case .fifo(let path) = jobserver.access else { return }
        placeTree(path, on: path, .closed | .noExecute, at: spec.process.jobserver.position)
    }
}
