import JailPlan
import Kernel

/// Sources of one step that the launcher has opened itself, because nothing about them can stand still.
struct AtHand {
    private var paths: [String] = []
    private var numbers: [Int32] = []

    /// Gives what has been opened for a path.
    mutating func take(_ path: String) -> Descriptor? {
        guard let index = paths.firstIndex(of: path) else { return nil }
        paths.remove(at: index)
        return Descriptor(owning: numbers.remove(at: index))
    }

    /// Whether all that a step reaches of the host could be opened so, or it reaches nothing that the spec names.
    mutating func holds(_ step: Plan.Step) -> Bool {
        guard step.origin != nil else { return true }
        guard case .tree(.fill(_, let filling, _)) = step.operation else { return false }
        switch filling {
        case .fileSystem: return true
        case .tree(let source):
            return source.isWritten && source.isPlain && open([source.path])
        case .overlay(let source):
            return source.isThrownAway && source.owner == nil && source.fileIDs == nil && open(source.lower)
        case .device, .image, .file, .passedFile, .noticeSocket, .credentials: return false
        }
    }

    private mutating func open(_ wanted: [String]) -> Bool {
        for path in wanted {
            guard let place = openAtHand(path) else {
                closeAll()
                return false
            }
            paths.append(path)
            numbers.append(place.release())
        }
        return true
    }

    /// To be called after the step.
    mutating func closeAll() {
        for number in numbers { closeDescriptor(number) }
        (paths, numbers) = ([], [])
    }
}

extension TreeSource {
    /// Whether nothing is asked of it but to be there.
    fileprivate var isPlain: Bool { fileIDs == nil && limit == nil && descriptor == nil && device == nil }
}
