import JailPlan
import Kernel

/// What a launch would look for in the jail, or put something on, looked for in what the tree will show of the host.
extension Applier {
    func seek(_ operation: Operation, of plan: Plan) throws(Failure) {
        guard let tree = SeenTree(plan) else { return }
        switch operation {
        case .process(.changeDirectory(let path)): try require(path, .chdir, in: tree, isDirectory: true)
        case .process(.lockFile(let path)): try require(path, .openat, in: tree)
        case .landlock(.allowPath(let path, _)): try require(path, .openat, in: tree)
        case .tree(.attach(let slot, let target, let isDirectory)):
            guard let isDirectory = isDirectory ?? tree.isDirectory(slot) else { return }
            try requirePlace(target, isDirectory: isDirectory, .moveMount, in: tree)
        case .tree(.makeDirectory(let target, let mode, let keepsMode)):
            try requirePlace(target, isDirectory: true, .mkdirat, in: tree)
            guard case .directory(let found?) = tree.entry(target, beneath: true), let mode, !keepsMode, found != mode
            else { return }
            throw Failure(.modeDiffers, call: .mkdirat, errno: .exists, text: "0" + String(found, radix: 8))
        case .tree(.makeSymlink(let target, _)):
            switch tree.entry(target, beneath: true) {
            case .file, .directory: throw Failure(.linkDiffers, call: .symlinkat, errno: .exists)
            case .missing, .blocked, .unknown: break
            }
        default: break
        }
    }

    /// What must be there.
    private func require(
        _ path: String, _ call: Call, in tree: SeenTree, isDirectory: Bool = false
    ) throws(Failure) {
        switch tree.entry(path) {
        case .missing: throw Failure(KernelError(call, .noEntry, path: path))
        case .blocked: throw Failure(KernelError(call, .notDirectory, path: path))
        case .file: if isDirectory { throw Failure(KernelError(call, .notDirectory, path: path)) }
        case .directory, .unknown: break
        }
    }

    /// What is there already must be what is put there, move_mount(2).
    private func requirePlace(
        _ target: String, isDirectory: Bool, _ call: Call, in tree: SeenTree
    ) throws(Failure) {
        switch tree.entry(target, beneath: true) {
        case .blocked: throw Failure(KernelError(.openat, .notDirectory, path: target))
        case .file where isDirectory: throw Failure(KernelError(call, .notDirectory, path: target))
        case .directory where !isDirectory: throw Failure(KernelError(call, .isDirectory, path: target))
        case .file, .directory, .missing, .unknown: break
        }
    }
}
