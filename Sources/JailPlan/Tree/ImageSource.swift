/// The file system that an image holds.
package enum ImageFormat: String, Equatable, Sendable {
    case squashfs, erofs, ext4

    /// The program that shows it to a user for whom the kernel does not read it.
    package var server: String? {
        switch self {
        case .squashfs: "squashfuse"
        case .ext4: "fuse2fs"
        case .erofs: nil
        }
    }
}

/// The file behind an image.
package struct ImageSource: Equatable, Sendable {
    /// Who reads it.
    package enum Reader: String, Equatable, Sendable {
        /// The kernel, for root outside: from a loop device, or from the file itself where it can.
        case kernel
        /// A program of the host beside the launcher, by FUSE.
        case server
    }

    package let path: String
    /// Where it begins, in bytes.
    package let offset: UInt64
    /// nil where the file is not there as the plan is made.
    package let format: ImageFormat?
    /// Why it could not be opened as the plan was made, as `HostImages.File.refusal` has it.
    package let refusal: String?
    package let reader: Reader
    /// A missing file is skipped and reported.
    package let optional: Bool
    /// As which ids its files appear; nil for those that they have.
    package let fileIDs: FileIDs?
    /// How many bytes its file has, where what is changed goes there; nil: it is read-only.
    package let room: UInt64?

    func words(_ place: [(String, JSON)], _ attributes: [String], on target: String) -> OperationWords {
        OperationWords(
            "mount_image", target == "/" ? "root \(path)" : "mount \(path) on \(target)", place + arguments,
            detail: ([by] + attributes + last).joined(separator: ","))
    }

    func openingWords(of slot: Int) -> OperationWords {
        OperationWords(
            "open_image", "open the image \(path)", [("slot", .integer(slot))] + arguments,
            detail: ([by] + last).joined(separator: ","))
    }

    private var by: String {
        let format = format?.rawValue ?? "not there"
        return format + (reader == .kernel ? " by the kernel" : " by \(self.format?.server ?? "nobody")")
            + (offset == 0 ? "" : " from byte \(offset)")
    }

    private var last: [String] {
        (fileIDs == nil ? [] : ["idmapped"]) + (room == nil ? [] : ["changes go to it"])
            + (optional ? ["optional"] : [])
    }

    private var arguments: [(String, JSON)] {
        [
            ("source", .string(path)), ("offset", .integer(Int(clamping: offset))),
            ("format", format.map { .string($0.rawValue) } ?? .null), ("reader", .string(reader.rawValue)),
            ("optional", .boolean(optional)), ("writable", .boolean(room != nil)),
        ] + (fileIDs.map { [("idmap", $0.json)] } ?? [])
    }
}
