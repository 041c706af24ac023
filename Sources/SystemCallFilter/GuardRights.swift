import JailSpec
import SpecFile

extension EffectivePolicy {
    /// Why what gives a file rights is refused.
    package static let rightsOfFiles = "mount.idmap: files with the rights of another"

    /// Set-user-ID and set-group-ID bits, and capabilities of files, where the jail makes files that are another's on the host
    /// (`FilterContext.filesOfOthers`).
    ///
    /// A filter is the only thing that keeps such a bit from being stored: nosuid and nosymfollow say what a mount obeys, and
    /// Landlock has no access for chmod(2). Of a mode that is behind a pointer it knows nothing, so that openat2(2) is not there
    /// and libc falls back. mkdir(2) needs none of it: the kernel takes these bits from its mode.
    mutating func guardRights(in context: FilterContext) {
        guard let line = context.filesOfOthers else { return }
        sources.append(Origin(words: Self.rightsOfFiles, position: line.position))
        let origin = sources.count - 1
        for (name, mode) in Self.modes { refuse(name, [Self.rights(mode)], .refuse, origin) }
        for (name, flags) in [("open", 1), ("openat", 2)] {
            // O_CREAT, __O_TMPFILE: without them there is no mode, whatever stands in its place.
            for flag: UInt64 in [0o100, 0o2000_0000] {
                refuse(name, [Condition(flags, .anyBit, flag, Self.half), Self.rights(flags + 1)], .refuse, origin)
            }
        }
        close(["openat2"], .absent, origin)
        close(["io_uring_setup", "io_uring_enter", "io_uring_register"], .refuse, origin)
        guardFileCapabilities(in: context, origin)
        // A number that no table has may be a call that changes modes.
        if unknown.permits { (unknown, unknownOrigin) = (.absent, origin) }
    }

    /// `security.capability`, which whoever has CAP_SETFCAP in a user namespace may write for that namespace's root; an idmapped
    /// mount stores whom it stands for, and for root the file counts on the host. A nested jail's root has it as well, and no such
    /// mount (`Planner.checkRights`). The name is behind a pointer, but the kernel
    /// takes values of two lengths only (XATTR_CAPS_SZ_2, XATTR_CAPS_SZ_3), which no ACL has: other attributes of just these
    /// lengths are as on a file system that has none.
    private mutating func guardFileCapabilities(in context: FilterContext, _ origin: Int) {
        guard context.capabilities.contains(.setfcap) else { return }
        for name in ["setxattr", "lsetxattr", "fsetxattr"] {
            for length: UInt64 in [20, 24] {
                refuse(name, [Condition(3, .equal, length, .max)], .notSupported, origin)
            }
        }
        close(["setxattrat"], .absent, origin)
    }

    /// The calls that take a mode, and which argument it is.
    private static let modes = [
        ("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("creat", 1), ("mknod", 1), ("mknodat", 2),
    ]
    private static let half: UInt64 = .max >> 32

    /// S_ISUID, S_ISGID.
    private static func rights(_ argument: Int) -> Condition { Condition(argument, .anyBit, 0o6000, half) }

    /// In front of the first rule of the call that permits: those that refuse already stay as they are.
    private mutating func refuse(_ name: String, _ conditions: [Condition], _ verdict: Verdict, _ origin: Int) {
        guard let call = CallNames.index(of: name) else { preconditionFailure("\(name) is not in the table") }
        let own = rules.indices.filter { rules[$0].call == call }
        var place = own.first { rules[$0].verdict.permits }
        if place == nil {
            guard verdicts[call].permits else { return }
            place = own.last.map { $0 + 1 } ?? rules.endIndex
        }
        rules.insert(
            Rule(call: call, conditions: conditions, verdict: verdict, origin: origin), at: place ?? rules.endIndex)
    }

    /// Whatever the arguments, where anything permits the call.
    private mutating func close(_ names: [String], _ verdict: Verdict, _ origin: Int) {
        for name in names {
            guard let call = CallNames.index(of: name) else { preconditionFailure("\(name) is not in the table") }
            rules.removeAll { $0.call == call && $0.verdict.permits }
            guard verdicts[call].permits else { continue }
            (verdicts[call], origins[call]) = (verdict, origin)
        }
    }
}
