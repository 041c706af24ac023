package import JailSpec
import Kernel
package import SpecFile

extension KeptChanges {
    /// Throws the changes away: upper and work are empty afterwards. Where no launch has left a record there are none, and what
    /// is in work is not a launch's. The record goes last: without it the rest would be nobody's. Returns what an apply has left in the
    /// original and is not removed, in words.
    package func discard(of mount: Mount) throws(Diagnostic) -> [String] {
        guard isRecorded else { return [] }
        let left = leftInOriginal(of: mount)
        let spared = isInWork ? [OverlayRecord.nameOfEmptying, KeptPlace.inside] : [OverlayRecord.nameOfEmptying]
        do throws(KernelError) {
            try OverlayRecord.beginEmptying(in: work)
            try ClosedFiles.open { (_) throws(KernelError) in try RemoveTree.empty(upper) }
            // The next jail has it as its root.
            if let root = record?.roots?.upper { try root.restore(upper) }
            while let name = try entryNames(of: work).first(where: { !spared.contains($0) }) {
                try RemoveTree.remove(name, at: work)
            }
            try moveOut()
            try RemoveTree.remove(OverlayRecord.nameOfEmptying, at: work)
        } catch {
            throw Self.diagnostic(Failure(error), mount)
        }
        return left
    }

    /// Takes what an apply was at when it was killed out of the original: without the record and the upper nobody knows where that is.
    /// What cannot be is no reason to keep the changes.
    private func leftInOriginal(of mount: Mount) -> [String] {
        guard let record, record.isApplying, let draft = record.draft else { return [] }
        let words = "the original may still have what an apply was making, in directories \(draft)*"
        do throws(Diagnostic) {
            let kept: KeptChanges?
            do throws(Failure) {
                kept = try overOriginal(of: mount)
            } catch {
                throw Self.diagnostic(error, mount)
            }
            guard let kept else { return ["\(words): another directory stands in its place"] }
            return try kept.recover(of: mount)
        } catch {
            return ["\(words): \(error.message)"]
        }
    }
}
