import JailSpec

/// As whose the files of an overlay appear that a program of the host makes, by the ids of the jail.
package struct ServedOwner: Equatable, Sendable {
    package let user: UInt32
    package let group: UInt32
}

/// The layers behind an overlay.
package struct OverlaySource: Equatable, Sendable {
    /// Where changes go.
    package enum Changes: Equatable, Sendable {
        /// To a tmpfs of so many bytes and files (nil: the kernel's default), which is gone with the jail.
        case thrownAway(bytes: UInt64, inodes: UInt64?)
        /// To a directory of the host; the other is overlayfs's own, and immure's.
        case kept(upper: String, work: String)
    }

    /// Directories of the host, the uppermost first.
    package private(set) var lower: [String]
    package private(set) var changes: Changes
    /// A missing lower leaves the overlay out, which is reported.
    package let optional: Bool
    /// Whether what is mounted below a lower is left out; where not, that there is something is a fault.
    package let leavesOutSubmounts: Bool
    /// Whether overlayfs keeps its notes in attributes that everybody may set (`userxattr`), being mounted in a user
    /// namespace.
    package let usesUserAttributes: Bool

    /// As which ids those of the lowers' files appear, and are copied; nil: as the kernel has them.
    package let fileIDs: FileIDs?
    /// Where fuse-overlayfs(1) makes it, beside the launcher, in place of the kernel: as whose all appears; nil: the kernel does.
    package let owner: ServedOwner?
    /// How much upper and work may hold together; nil: as much as there is room for.
    package let limit: StorageLimit?
    /// Whether it is written down what the changes are changes of, and nothing changes the layers past the overlay.
    package let isRecorded: Bool

    /// The program that makes overlays in the kernel's place.
    package static let server = "fuse-overlayfs"

    /// The name of overlayfs's attributes: this, then the attribute.
    package var attributePrefix: String { usesUserAttributes ? "user.overlay." : "trusted.overlay." }

    /// Whether there may be mounts below the lowers, which are not seen through it: for others than root that is refused.
    package var looksPastMounts: Bool { leavesOutSubmounts && !usesUserAttributes && owner == nil }

    /// Each lower, and where the changes go, by itself: one that is missing says nothing of the others.
    package var parts: [OverlaySource] {
        if lower.count == 1, isThrownAway { return [] }
        let lowers = lower.map { path in
            var part = self
            (part.lower, part.changes) = ([path], .thrownAway(bytes: 0, inodes: nil))
            return part
        }
        var kept = self
        kept.lower = []
        return lowers + (isThrownAway ? [] : [kept])
    }

    /// Whether nothing of the changes is left when the jail has ended.
    package var isThrownAway: Bool { if case .thrownAway = changes { true } else { false } }
}

extension OverlaySource {
    func openingWords(of slot: Int) -> OperationWords {
        OperationWords(
            "open_overlay", "open the layers for \(Self.server)",
            [("slot", .integer(slot)), ("lower", .array(lower.map { .string($0) }))],
            detail: lower.joined(separator: " over "))
    }

    func words(_ place: [(String, JSON)], _ attributes: [String], on target: String) -> OperationWords {
        var arguments = place + [("lower", .array(lower.map { .string($0) }))]
        var detail = ["over " + lower.joined(separator: " over ")]
        switch changes {
        case .thrownAway(let bytes, let inodes):
            arguments += [
                ("size", .integer(Int(clamping: bytes))), ("inodes", JSON(inodes.map { Int(clamping: $0) })),
            ]
            detail.append("changes thrown away, at most \(bytes) bytes" + (inodes.map { " and \($0) files" } ?? ""))
        case .kept(let upper, let work):
            arguments += [("upper", .string(upper)), ("work", .string(work))]
            detail.append("changes in \(upper)" + (limit.map { ", \($0.words)" } ?? ""))
            arguments += limit?.arguments ?? []
        }
        arguments += [
            ("optional", .boolean(optional)), ("submounts", .boolean(!leavesOutSubmounts)),
            ("user_attributes", .boolean(usesUserAttributes)),
        ]
        if !isRecorded { detail.append("not recorded") }
        if let owner {
            arguments.append(
                ("owner", .object([("user", .integer(Int(owner.user))), ("group", .integer(Int(owner.group)))])))
            detail.append("by \(Self.server), all of uid \(owner.user)")
        }
        if let fileIDs {
            arguments.append(("idmap", fileIDs.json))
            detail.append("idmapped")
        }
        return OperationWords(
            "make_overlay", target == "/" ? "root as an overlay" : "overlay on \(target)", arguments,
            detail: (detail + attributes + (optional ? ["optional"] : [])).joined(separator: ","))
    }
}
