import JailSpec
import SpecFile

/// What Landlock tells apart of what is done with a file.
struct Access: OptionSet {
    let rawValue: Int

    static let read = Access(rawValue: 1)
    static let execute = Access(rawValue: 2)
    static let write = Access(rawValue: 4)
    static let each: [Access] = [.read, .execute, .write]
}

extension LandlockPolicy.Grant {
    var access: Access {
        switch self {
        case .ro: .read
        case .rx: [.read, .execute]
        case .rw: [.read, .write]
        case .rwx: [.read, .execute, .write]
        }
    }
}

extension Spec {
    /// What Landlock closes of what the jail shows: an access that its rules give to every place is closed nowhere,
    /// however many lines say so.
    var closedAccess: Access {
        guard let landlock = landlock?.value, landlock.files != nil else { return [] }
        let rules = landlock.rules.map { (access: $0.grant.access, path: Place.parts(of: $0.path.value)) }
        var closed: Access = []
        for access in Access.each {
            let isClosed = shown.contains { place in
                !rules.contains { $0.access.contains(access) && place.starts(with: $0.path) }
            }
            if isClosed { closed.insert(access) }
        }
        return closed
    }
}
