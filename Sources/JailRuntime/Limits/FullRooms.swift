import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// The private file systems of a jail that can be full, held by their descriptors until the command has ended.
struct FullRooms {
    private var steps: [Int] = []
    private(set) var descriptors: [Int32] = []

    /// Those of a plan that have a size, by the slots that hold them.
    init(of plan: Plan, _ slots: [Int32]) {
        for (index, step) in plan.steps.enumerated() {
            guard case .fill(let slot, let filling, let promise) = step.operation, !promise.isSealed, slots[slot] >= 0,
                filling.room != nil
            else { continue }
            steps.append(index)
            descriptors.append(slots[slot])
        }
    }

    /// The steps of those that are full: what is left is less than a 256th.
    func full() -> [Int] {
        var result: [Int] = []
        for index in steps.indices {
            do throws(KernelError) {
                let room = try capacity(of: descriptors[index])
                if room.free <= room.bytes / 256 { result.append(steps[index]) }
            } catch {
                continue
            }
        }
        return result
    }
}

extension Filling {
    /// The size of a private file system that can be full; nil for what has none. An overlay is as full as what holds its changes.
    var room: String? {
        switch self {
        case .fileSystem(let made) where made.type == "tmpfs":
            made.parameters.first { $0.key == "size" }?.value
        case .overlay(let source):
            if case .thrownAway(let bytes, _) = source.changes { Outcome.size(Int(clamping: bytes)) } else { nil }
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
