import JailPlan
import Kernel
import LinuxFacts

extension Applier {
    /// Makes a source that is missing, with the directories above it that are. What is there stays as it is.
    ///
    /// What there is is reached as a source is: not by a link of the jail's making, or what root makes there for the jail's
    /// user would be wherever that leads. A link that leads nowhere is in the way: nothing is made through it. Nobody can put
    /// something else in the place of what is made here: it is held by its descriptor, and is empty and its maker's own until
    /// it has its owner.
    mutating func makeSource(_ making: SourceMaking, of plan: Plan) throws(Failure) {
        guard let (above, missing) = try existing(making.path, of: plan) else { return }
        var place = above
        for (index, name) in missing.enumerated() {
            let isLast = index + 1 == missing.count
            let isDirectory = !isLast || making.isDirectory
            let made = try failing { () throws(KernelError) in
                try makeEntry(name, at: place, isDirectory: isDirectory, making.path)
            }
            closeDescriptor(place)
            place = made
            try finish(made, mode: isLast ? making.mode : 0o755, making.owner, making.path)
        }
        closeDescriptor(place)
    }

    /// What there is of a path, and the names that are missing below it; nil where it is there.
    private mutating func existing(_ path: String, of plan: Plan) throws(Failure) -> (Int32, [String])? {
        var names = components(path)
        var missing: [String] = []
        while true {
            do throws(Failure) {
                let place = try reach("/" + joined(names), of: plan)
                return missing.isEmpty ? nil : (place.release(), missing)
            } catch {
                guard case .kernel = error.cause, error.errno == .noEntry, let name = names.popLast(), name != ".."
                else { throw error }
                missing.insert(name, at: 0)
            }
        }
    }

    private func makeEntry(
        _ name: String, at directory: Int32, isDirectory: Bool, _ path: String
    ) throws(KernelError) -> Int32 {
        guard isDirectory else {
            return try open(name, at: directory, .write | .create | .exclusive | .noFollow, permissions: 0o600)
                .release()
        }
        try Kernel.makeDirectory(name, at: directory, permissions: 0o700)
        let made = try open(name, at: directory, .read | .directory | .noFollow)
        let found = try status(of: made.number)
        guard found.owner == callerIdentity().euid, found.permissions & 0o777 == 0o700,
            try entries(of: made.number).isEmpty
        else {
            throw KernelError(.mkdirat, .exists, path: path)
        }
        return made.release()
    }

    private func finish(
        _ made: Int32, mode: UInt32, _ owner: SourceMaking.Owner?, _ path: String
    ) throws(Failure) {
        let found = try failing { () throws(KernelError) in
            if let owner { try setOwner(of: made, user: owner.user, group: owner.group) }
            try setPermissions(made, mode)
            return try status(of: made)
        }
        let isOwned = owner.map { $0.user == found.owner && $0.group == found.group } ?? true
        guard !isVerified || (isOwned && found.permissions == mode) else {
            throw Failure(
                .notInForce,
                text:
                    "\(path): promised mode 0\(String(mode, radix: 8)), the kernel says 0\(String(found.permissions, radix: 8)) "
                    + "of uid \(found.owner) gid \(found.group)")
        }
    }
}
