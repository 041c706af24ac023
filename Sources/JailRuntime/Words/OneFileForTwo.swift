import Kernel
package import SpecFile

extension ResultDestination {
    /// Refuses two options whose file is one: of what they write only the last would be left.
    package static func keepApart(
        _ one: ResultDestination?, _ other: ResultDestination?
    ) throws(Diagnostic) {
        guard let one, let other, try one.isOver(other) else { return }
        throw Diagnostic(
            "\(other.label): is the file of \(one.label) as well", at: nil,
            hint: "give each of the two a file of its own")
    }

    /// Whether one of the two would be written over the other. Descriptors of the caller's are the caller's own business: what comes
    /// last goes on where the other has ended, if both are one.
    private func isOver(_ other: ResultDestination) throws(Diagnostic) -> Bool {
        if way == nil, other.way == nil { return false }
        do throws(KernelError) {
            if let replaced, let others = other.replaced {
                guard replaced.file.utf8.elementsEqual(others.file.utf8) else { return false }
                return try status(of: descriptor).isSame(as: status(of: other.descriptor))
            }
            guard let (own, theirs) = try both(other) else { return false }
            return own == theirs
        } catch {
            throw Diagnostic("\(label): \(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)
        }
    }

    /// The two regular files that are there; nil where one is not.
    private func both(_ other: ResultDestination) throws(KernelError) -> (FileIdentity, FileIdentity)? {
        guard let own = try file, let theirs = try other.file else { return nil }
        return (own, theirs)
    }

    private var file: FileIdentity? {
        get throws(KernelError) {
            guard let replaced else {
                let found = try status(of: descriptor)
                return found.isRegular ? found.identity : nil
            }
            do throws(KernelError) {
                let place = try Kernel.open(replaced.file, at: descriptor, .path | .noFollow)
                return try status(of: place.number).identity
            } catch {
                guard error.errno == .noEntry else { throw error }
                return nil
            }
        }
    }
}
