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
            guard case .fill(let slot, .fileSystem(let made), let promise) = step.operation, made.type == "tmpfs",
                !promise.isSealed, slots[slot] >= 0, made.parameters.contains(where: { $0.key == "size" })
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

extension SlotPromise {
    /// The key of `[filesystem]` that gives its size; nil for a mount of the spec's own.
    var room: String? {
        switch target {
        case "/": "writable"
        case "/tmp": "tmp"
        case "/dev/shm": "shm"
        default: nil
        }
    }
}
