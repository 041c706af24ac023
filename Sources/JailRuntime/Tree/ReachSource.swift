import JailPlan
import JailSpec
import Kernel

/// The way to what the spec names of the host.
extension Applier {
    /// Opens (`O_PATH`) what a path of the spec leads to, by links that no jail, and for root no other user, may have made.
    mutating func reach(_ path: String, of plan: Plan) throws(Failure) -> Descriptor {
        if let place = atHand.take(path) { return place }
        // Most paths have no link: nothing is to be known then of what the jail may write.
        do throws(WalkFault) {
            if let place = try HostWalk.openPlain(path) { return place }
            return try HostWalk(to: path, following: rule(of: plan)).reached()
        } catch {
            // In a user namespace of the jail's the kernel speaks of its ids.
            throw LinkWords.failure(error, in: plan.creation.map { step > $0 } == true ? plan.maps : nil)
        }
    }
}

extension Applier {
    mutating func rule(of plan: Plan) -> LinkRule {
        if let names { return names }
        var rule = LinkRule(user: effectiveUser(), isRoot: isRoot)
        rule.close(plan.writableSources)
        names = rule
        return rule
    }
}

/// The words for a link that is not followed.
enum LinkWords {
    static func reason(_ path: String, owner: UInt32?, _ objection: LinkRule.Objection) -> String {
        let link = "\(path) is a symbolic link of \(owner.map { "uid \($0)" } ?? "another user")"
        return switch objection {
        case .writable(let directory): "\(link) below \(directory), where the jail may write and may have made it"
        case .foreign: "\(link), and root follows only those that root made"
        case .sticky: "\(link) in a directory that everyone may write"
        }
    }

    /// Of a walk; `maps` are those of the user namespace that has told whose the link is.
    static func failure(_ fault: WalkFault, in maps: IdentityMaps?) -> Failure {
        switch fault {
        case .refused(let error): return Failure(error)
        case .link(let link, let objection):
            let owner = maps.map { $0.outside(user: link.owner) } ?? link.owner
            return Failure(
                objection.isOfJail ? .linkBelowWritable : .foreignLink,
                text: reason(link.path, owner: owner, objection))
        }
    }

    static let jailLinkHint = "write the path that it leads to in its place, or put what it leads to there"
    static let foreignLinkHint = "write the path that it leads to in its place, or chown -h it to the caller"

    static func hint(_ objection: LinkRule.Objection) -> String { objection.isOfJail ? jailLinkHint : foreignLinkHint }
}

extension LinkRule.Objection {
    /// Whether it is what the jail may have made that is objected to.
    var isOfJail: Bool { if case .writable = self { true } else { false } }
}

extension IdentityMaps {
    /// The id outside of an id inside; nil for one that has none.
    func outside(user: UInt32) -> UInt32? {
        for range in users where user >= range.inside && user - range.inside < range.count {
            return range.outside + (user - range.inside)
        }
        return nil
    }
}
