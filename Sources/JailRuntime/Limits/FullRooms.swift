import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// What a jail stores things in that can be full, private file systems and directories with a limit: held by their descriptors
/// until the command has ended.
struct FullRooms {
    private var steps: [Int] = []
    /// The part of each that may be left where it is full.
    private var rests: [UInt64] = []
    /// Whether a program answers for it, which may not answer at all.
    private var areServed: [Bool] = []
    /// How long such a program is waited for, in milliseconds.
    private static let patience: Int32 = 1000
    private(set) var descriptors: [Int32] = []

    /// Those of a plan that have a size, by the slots that hold them.
    init(of plan: Plan, _ slots: [Int32]) {
        for (index, step) in plan.steps.enumerated() {
            guard case .tree(.fill(let slot, let filling, let promise)) = step.operation, !promise.isSealed,
                slots[slot] >= 0,
                filling.hasRoom
            else { continue }
            steps.append(index)
            // ext4 keeps blocks back for what it has yet to allocate, and in a small image those count.
            rests.append(filling.isImage ? 64 : 256)
            areServed.append(filling.isServed)
            descriptors.append(slots[slot])
        }
    }

    /// The steps of those that are full: what is left is less than that part, or no file more.
    func full() -> [FullRoom] {
        var result: [FullRoom] = []
        for index in steps.indices {
            do throws(KernelError) {
                let found = areServed[index] ? try lookBeside(index) : try look(index)
                if found & Self.bytes != 0 { result.append(FullRoom(step: steps[index], isOfFiles: false)) }
                if found & Self.files != 0 { result.append(FullRoom(step: steps[index], isOfFiles: true)) }
            } catch {
                continue
            }
        }
        return result
    }

    private static let (bytes, files) = (Int32(1), Int32(2))

    /// What has run out there, of these two.
    private func look(_ index: Int) throws(KernelError) -> Int32 {
        let room = try capacity(of: descriptors[index])
        // A file system without a number of files says 0 of both.
        return (room.free <= room.bytes / rests[index] ? Self.bytes : 0)
            | (room.freeInodes == 0 && room.inodes > 0 ? Self.files : 0)
    }

    /// The same by a child, which is left to its wait where the program does not answer: then nothing is known.
    private func lookBeside(_ index: Int) throws(KernelError) -> Int32 {
        let (side, descriptor) = try forkWatched(into: [])
        guard case .parent(let child) = side else {
            do throws(KernelError) {
                exitNow(try look(index))
            } catch {
                exitNow(0)
            }
        }
        defer { closeDescriptor(descriptor) }
        var end = [Watch(descriptor)]
        try poll(&end, milliseconds: Self.patience)
        guard end[0].isReady else { return 0 }
        var use = ResourceUse()
        guard case .exited(let found)? = try wait(for: child, blocking: false, use: &use)?.end else { return 0 }
        return found
    }
}

/// What the command could store no more in: the step that has put it there, and whether files or bytes had run out.
package struct FullRoom: Equatable, Sendable {
    package let step: Int
    package let isOfFiles: Bool
}

extension Filling {
    fileprivate var isImage: Bool { if case .image = self { true } else { false } }

    /// Whether a program answers for it, which may not answer at all.
    fileprivate var isServed: Bool {
        switch self {
        case .overlay(let source): source.owner != nil
        case .image(let source): source.reader == .server
        default: false
        }
    }

    /// Whether it has a size or a number of files, without the words for them.
    fileprivate var hasRoom: Bool {
        if case .overlay(let source) = self, case .thrownAway = source.changes { return true }
        return room != nil || roomForFiles != nil
    }

    /// The size of what can be full; nil for what has none. An overlay is as full as what holds its changes.
    var room: String? {
        switch self {
        case .fileSystem(let made) where made.type == "tmpfs":
            made.parameters.first { $0.key == "size" }?.value
        case .overlay(let source):
            if case .thrownAway(let bytes, _) = source.changes {
                Outcome.size(Int(clamping: bytes))
            } else {
                source.limit?.bytes.map { Outcome.size(Int(clamping: $0)) }
            }
        case .image(let source): source.room.map { Outcome.size(Int(clamping: $0)) }
        case .tree(let source): source.limit?.bytes.map { Outcome.size(Int(clamping: $0)) }
        default: nil
        }
    }

    /// How many files it may hold; nil where the plan has no number.
    var roomForFiles: String? {
        switch self {
        case .fileSystem(let made) where made.type == "tmpfs":
            made.parameters.first { $0.key == "nr_inodes" }?.value
        case .overlay(let source):
            if case .thrownAway(_, let inodes) = source.changes {
                inodes.map { "\($0)" }
            } else {
                source.limit?.inodes.map { "\($0)" }
            }
        case .tree(let source): source.limit?.inodes.map { "\($0)" }
        default: nil
        }
    }
}

extension SlotPromise {
    /// The key of `[filesystem]` that gives its size; nil for a mount of the spec's own.
    func room(_ filling: Filling) -> String? {
        switch target {
        case "/": if case .overlay = filling { nil } else { "writable" }
        case "/tmp": "tmp"
        case "/dev/shm": "shm"
        default: nil
        }
    }
}
