package import LinuxFacts

/// One step towards the tree of mounts that the jail sees.
package indirect enum TreeOperation: Equatable, Sendable {
    /// Makes a source of the host that is missing; it stays.
    case makeSource(SourceMaking)
    /// Opens an image, and the program that is to read it for the mount of that slot.
    case openImage(slot: Int, ImageSource)
    /// Opens the layers of an overlay, and the program that is to make it for the mount of that slot.
    case openOverlay(slot: Int, OverlaySource)
    case isolateMounts
    /// Fills a slot with a mount that is attached to nothing yet, of which that promise will hold.
    case fill(slot: Int, Filling, SlotPromise)
    /// The slot becomes the root of the tree that is built.
    case beginRoot(slot: Int)
    /// Puts a slot on a target inside the tree; the mount point is made where it is missing.
    case attach(slot: Int, target: String, isDirectory: Bool?)
    /// `keepsMode`: one that is there already may have another mode.
    case makeDirectory(target: String, mode: UInt32?, keepsMode: Bool)
    case makeSymlink(target: String, to: String)
    /// Covers what is at the target, file or directory; where nothing is, that is reported.
    case hide(target: String)
    /// As `hide`, for files of procfs that this kernel may not have.
    case mask(target: String)
    /// Makes what is at the target read-only where it is; for files of procfs that this kernel may not have.
    case protect(target: String)
    /// Mounts a directory on itself, so that it keeps its name: rename(2) answers EBUSY. `isMade` where it is made if missing.
    case pin(target: String, MountAttributes, isMade: Bool)
    /// Makes the file at the target, which must still be that one, read-only in its place.
    case protectFile(target: String, GuardedFile)
    /// The named slots (and all that was made on the way) become read-only.
    case seal(slots: [Int])
    /// Opens the root of the jail's message queues, which are on no mount of the tree (mq_overview(7)).
    case openQueues
    /// pivot_root: the built tree becomes `/`, the host's tree is gone.
    case switchRoot
}

extension TreeOperation {
    package var words: OperationWords {
        switch self {
        case .makeSource(let making): making.words
        case .openImage(let slot, let source): source.openingWords(of: slot)
        case .openOverlay(let slot, let source): source.openingWords(of: slot)
        case .isolateMounts: OperationWords("isolate_mounts", "take mounts out of propagation")
        case .fill(let slot, let filling, let promise): filling.words(of: slot, promise)
        case .beginRoot(let slot):
            OperationWords("begin_root", "begin the tree of the jail", [("slot", .integer(slot))])
        case .attach(let slot, let target, _):
            OperationWords("attach", "mount \(target)", [("slot", .integer(slot)), ("target", .string(target))])
        case .makeDirectory(let target, let mode, let keepsMode):
            OperationWords(
                "make_directory", "directory \(target)",
                [("target", .string(target)), ("mode", mode.map { .string(octal($0)) } ?? .null)],
                detail: keepsMode ? "as it is where it is there" : "")
        case .makeSymlink(let target, let to):
            OperationWords(
                "make_symlink", "symlink \(target) to \(to)", [("target", .string(target)), ("to", .string(to))])
        case .hide(let target): OperationWords("hide", "hide \(target)", shut(target))
        case .mask(let target): OperationWords("mask", "hide \(target)", shut(target))
        case .protect(let target): OperationWords("protect", "protect \(target)", shut(target))
        case .pin(let target, let attributes, let isMade):
            OperationWords(
                "pin", "pin \(target)",
                [("target", .string(target)), ("attributes", attributes.json), ("made", .boolean(isMade))])
        case .protectFile(let target, let file):
            OperationWords(
                "protect_file", "protect \(target)", [("target", .string(target)), ("file", .string(file.path))],
                detail: "ro")
        case .seal(let slots):
            OperationWords("seal", "make what was built read-only", [("slots", .array(slots.map { .integer($0) }))])
        case .openQueues: OperationWords("open_queues", "open the message queues of the jail")
        case .switchRoot: OperationWords("switch_root", "switch to the tree of the jail")
        }
    }

    /// How it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .isolateMounts, .makeDirectory, .makeSource:
            .atOnce
        case .fill, .attach, .makeSymlink, .hide, .mask, .protect, .pin, .protectFile, .seal, .switchRoot: .withTheTree
        case .openImage, .openOverlay: .byWhatFollows("its file system is mounted, and answers")
        case .beginRoot: .byWhatFollows("the root of the jail is compared with it")
        case .openQueues: .never("it opens something: without it mq_open(3) would be refused")
        }
    }
}
