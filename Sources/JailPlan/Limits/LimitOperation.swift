package import JailSpec

/// One step towards the limits: the control group of the jail, and what setrlimit(2) knows.
package indirect enum LimitOperation: Equatable, Sendable {
    /// Moves the launcher into a new scope unit of that manager, which is delegated to it, StartTransientUnit.
    case requestScope(ControlGroups.Manager)
    /// Gives the children of the base these controllers; processes in the base make room in a leaf of their own.
    case enableControllers(ControlGroups.Base, [String])
    /// The jail's own cgroup, empty; what killed launches have left is removed.
    case createCgroup(CgroupDelegation)
    case setLimit(LimitSetting)
    /// Moves this process into the cgroup: a direct launch has no child to be born there.
    case enterCgroup
    /// Raises the hard limit where it is lower (nil: unlimited); the soft one stays.
    case raiseHardLimit(Resource, to: UInt64?)
    /// Makes the jail's user the owner of the group inside, by the ids that it has there.
    case giveGroup(user: UInt32, group: UInt32)
    case setResourceLimit(Resource, soft: UInt64?, hard: UInt64?)
}

extension LimitOperation {
    package var words: OperationWords {
        switch self {
        case .requestScope(let manager):
            OperationWords(
                "request_scope", "ask the \(manager.rawValue) manager for a scope",
                [("manager", .string(manager.rawValue))])
        case .enableControllers(let base, let controllers): base.words(enabling: controllers)
        case .createCgroup(let delegation): delegation.words
        case .setLimit(let setting): setting.words
        case .enterCgroup: OperationWords("enter_cgroup", "enter the cgroup")
        case .raiseHardLimit(let resource, let hard):
            OperationWords(
                "raise_hard_limit", "raise the hard limit of \(resource.name)",
                [("resource", .string(resource.name)), ("hard", JSON(limit: hard))], detail: limitWord(hard))
        case .giveGroup(let user, let group):
            OperationWords(
                "give_group", "give the jail its cgroup",
                [("user", .integer(Int(user))), ("group", .integer(Int(group)))],
                detail: "to uid \(user) gid \(group)")
        case .setResourceLimit(let resource, let soft, let hard):
            OperationWords(
                "set_resource_limit", "set rlimit \(resource.name)",
                [("resource", .string(resource.name)), ("soft", JSON(limit: soft)), ("hard", JSON(limit: hard))],
                detail: "\(limitWord(soft)):\(limitWord(hard))")
        }
    }

    /// How it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .setLimit, .enterCgroup, .setResourceLimit, .giveGroup:
            .atOnce
        case .requestScope: .byWhatFollows("no group could be made in a scope that is not there")
        case .enableControllers, .createCgroup: .byWhatFollows("the files of each limit are read in the group")
        case .raiseHardLimit: .byWhatFollows("setting the limit shows both")
        }
    }
}
