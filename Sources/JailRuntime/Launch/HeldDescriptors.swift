import JailPlan
import Kernel

/// Descriptors that the launcher holds as long as the jail lives: locks, and directories that are looked at afterwards.
struct HeldDescriptors {
    private var numbers: [Int32] = []
    private var steps: [Int] = []
    /// The steps of those that are to be looked at, and which they are.
    private(set) var shown = (steps: [Int](), numbers: [Int32]())

    var descriptors: [Int32] { numbers }

    /// What those steps have had held.
    func held(by wanted: [Int]) -> [(step: Int, descriptor: Int32)] {
        zip(steps, numbers).filter { wanted.contains($0.0) }.map { ($0.0, $0.1) }
    }

    /// Somebody else closes those of these steps.
    mutating func forget(_ gone: [Int]) {
        let left = zip(steps, numbers).filter { !gone.contains($0.0) }
        (steps, numbers) = (left.map(\.0), left.map(\.1))
    }

    mutating func add(_ descriptor: Int32, step: Int, isShown: Bool) {
        numbers.append(descriptor)
        steps.append(step)
        guard isShown else { return }
        shown.steps.append(step)
        shown.numbers.append(descriptor)
    }
}

extension Applier {
    /// Locks a file of the jail, and leaves the lock to the launcher.
    mutating func lockFile(_ path: String, of plan: Plan) throws(Failure) {
        let file = try failing { () throws(KernelError) in try open(path, .read | .nonBlocking | .noTerminal) }
        let number = file.number
        guard try failing({ () throws(KernelError) in try lockForReading(number) }) else {
            throw Failure(telling: "somebody else has locked it for writing", hint: nil)
        }
        // As somebody else sees it.
        let isLocked = try failing { () throws(KernelError) in
            let other = try open(path, .read | .nonBlocking | .noTerminal)
            return try isLockedForReading(other.number)
        }
        guard isLocked else { throw Failure(.notInForce, text: "lock of \(path)") }
        try hold(number, isShown: false, of: plan)
    }

    /// Has the launcher hold a descriptor: its own, or that of a jail's process, which sends it over.
    mutating func hold(_ number: Int32, isShown: Bool, of plan: Plan) throws(Failure) {
        if case .launcher = plan.steps[step].actor {
            held.add(
                try failing { () throws(KernelError) in try duplicate(number, above: 3) }, step: step, isShown: isShown)
        } else {
            report(.held(step: step, isShown: isShown), passing: number)
        }
    }
}
