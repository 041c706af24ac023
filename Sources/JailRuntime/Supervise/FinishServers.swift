import JailPlan
import Kernel
import LinuxFacts
import SpecFile

/// Servers that write to an image: what they have of it in memory must come to its file before the launch has ended.
extension Supervisor {
    /// How long they may take for that once the jail is to end, in nanoseconds: the grace, and a second where that is shorter.
    var writingPatience: Int { max(Deadline.nanoseconds(plan.supervision.grace), 1_000_000_000) }

    /// The jail has ended: has their file systems unmounted, and waits until they have ended by themselves. Where something has not
    /// come to its file the command's end is not what it seems.
    func finishWriting() throws(KernelError) {
        guard helpers.contains(where: { $0.written != nil }) else { return }
        let due = monotonicNanoseconds() + writingPatience
        let unmounting = try unmountWritten()
        defer { closeDescriptor(unmounting) }
        // Somebody may have the file system open still who has been passed it: libfuse ends by SIGTERM all the same.
        try awaitWriters(until: min(due, monotonicNanoseconds() + 500_000_000))
        for helper in helpers where helper.written != nil && !helper.hasEnded { helper.send(Signal.terminate) }
        try awaitWriters(until: due)
        for helper in helpers { if let image = helper.written { try judge(image, helper) } }
    }

    /// Closes what the launcher holds of their mounts, in a process that may wait for them; returns its pidfd.
    private func unmountWritten() throws(KernelError) -> Int32 {
        let steps = helpers.filter { $0.written != nil }.map(\.step)
        let mounts = opened.held(by: steps).map(\.descriptor)
        opened.forget(steps)
        let (start, closed) = try makePipe()
        let (side, descriptor) = try forkWatched(into: [])
        guard case .parent = side else {
            closeDescriptor(closed)
            do throws(KernelError) {
                // Until the launcher has closed its own: it must not be the last to have them.
                _ = try readSome(start, limit: 1)
            } catch {
                exitNow(1)
            }
            exitNow(0)
        }
        for number in mounts + [start, closed] { closeDescriptor(number) }
        return descriptor
    }

    private func awaitWriters(until due: Int) throws(KernelError) {
        while true {
            let left = helpers.indices.filter { helpers[$0].written != nil && !helpers[$0].hasEnded }
            let remaining = (due - monotonicNanoseconds() + 999_999) / 1_000_000
            guard !left.isEmpty, remaining > 0 else { return }
            var watches: [Watch] = []
            for index in left { watches += helpers[index].watches }
            try poll(&watches, milliseconds: Int32(clamping: remaining))
            for (place, index) in left.enumerated() {
                _ = try helpers[index].take(watches[(2 * place)..<(2 * place + 2)])
            }
        }
    }

    /// The image's own word is what counts.
    private func judge(_ image: ImageFile, _ helper: HelperProcess) throws(KernelError) {
        if helper.hasEnded, try image.isClean { return }
        let failure = Failure(.notWritten, text: "\(helper.name)\n\(image.device)").at(helper.step)
        switch outcome.ending {
        case .ended: outcome.ending = .lost(failure)
        case .timedOut: tell(.error(Explanation(failure, of: plan).loss))
        case .failed, .lost: return  // the next launch of it says so
        }
    }
}
