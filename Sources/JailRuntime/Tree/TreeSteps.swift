import JailPlan
import Kernel

/// How the steps towards the tree of mounts are done, and how each is read back.
extension Applier {
    mutating func apply(_ operation: TreeOperation, of plan: Plan) throws(Failure) {
        switch operation {
        case .makeSource(let making): try makeSource(making, of: plan)
        case .openImage(let slot, let source): try openServed(slot, source, of: plan)
        case .openOverlay(let slot, let source): try openServed(slot, source, of: plan)
        case .isolateMounts: try failing(isolateMounts)
        case .fill(let slot, let filling, let promise): try fill(slot, filling, promise, of: plan)
        case .beginRoot(let slot):
            tree.guarded = plan.guarded
            try tree.begin(slots[slot])
        case .attach(let slot, let target, let isDirectory):
            try tree.attach(slots[slot], on: target, isDirectory)
            try noteUnwritable(slot, plan)
        case .makeDirectory(let target, let mode, let keepsMode):
            try tree.makeDirectory(target, mode, keepsMode: keepsMode)
        case .makeSymlink(let target, let to): try tree.makeSymlink(target, to: to)
        case .hide(let target): try hide(target, plan)
        case .mask(let target): _ = try tree.cover(target, for: step)
        case .protect(let target): try tree.protect(target, for: step)
        case .pin(let target, let attributes, let isMade): try tree.pin(target, attributes, makes: isMade, for: step)
        case .protectFile(let target, let file): try tree.protect(target, file, for: step)
        case .seal(let sealed): try tree.seal(sealed.map { slots[$0] })
        case .openQueues: try openQueues()
        case .switchRoot:
            tree.leaveLoose()
            try failing { () throws(KernelError) in try switchRoot(to: tree.root) }
        }
    }

    mutating func check(_ operation: TreeOperation, in plan: Plan) throws(Failure) {
        switch operation {
        case .isolateMounts:
            try checkIsolation(plan)
            try lookBelowDirectory(plan)
        case .fill(let slot, let filling, let promise): try check(slot, filling, promise)
        case .switchRoot:
            try checkTree(plan)
            try reportCovers(plan)
        // As they are done: the answer of the kernel is what the step goes by.
        case .makeDirectory, .makeSource: break
        // With the tree: `checkTree`; what only the host tells of its overlays is asked now.
        case .seal: try checkOverlayOptions(plan)
        case .attach, .makeSymlink, .hide, .mask, .protect, .pin, .protectFile: break
        // By what follows, or never: `Operation.verification` says why.
        case .openImage, .openOverlay: break
        case .beginRoot: break
        case .openQueues: break
        }
    }
}
