import JailPlan
import Kernel

/// Filters that others have compiled.
extension Applier {
    /// BPF_MAXINSNS, in bytes.
    private static let limit = 4096 * 8

    /// Reads them, before anything waits for this process and while signals end it: a pipe may have no end.
    mutating func readPrograms(_ plan: Plan) throws(Failure) {
        guard let index = plan.programs, case .filter(.installPrograms(let descriptors)) = plan.steps[index].operation
        else {
            return
        }
        let reading = ProgramReading()
        try located(index) { () throws(Failure) in
            // Beside this process where there is a deadline, which somebody who writes nothing must not hold up.
            if let timeout = plan.supervision.timeout {
                let isDone = try failing { () throws(KernelError) in
                    try Caller.lookBeside(within: timeout, at: { "read the compiled filters" }) {
                        reading.read(descriptors)
                    }
                }
                guard isDone else { throw Failure(telling: "who was to read them was killed", hint: nil) }
            } else {
                reading.read(descriptors)
            }
            if let failure = reading.failure { throw failure }
        }
        programs = reading.programs
    }

    fileprivate static func program(from descriptor: Int32) throws(Failure) -> [UInt64] {
        guard isOpen(descriptor) else { throw Failure(.descriptorNotOpen, text: "\(descriptor)") }
        let bytes = try failing { () throws(KernelError) in
            // One more than a filter has: what is longer is none.
            try readAll(descriptor, limit: limit + 4096)
        }
        guard !bytes.isEmpty, bytes.count % 8 == 0, bytes.count <= limit else {
            throw Failure(.notAFilter, text: "descriptor \(descriptor) holds \(bytes.count) bytes")
        }
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
        }
    }

    /// All that is to be read back is read before: no call but execve is made after the first of them.
    mutating func installPrograms(of plan: Plan) throws(Failure) {
        try checkProcess(plan)
        for program in programs { try failing { () throws(KernelError) in try installFurtherFilter(program) } }
    }
}

/// What the descriptors hold, or why that cannot be read.
private final class ProgramReading {
    var programs: [[UInt64]] = []
    var failure: Failure?

    func read(_ descriptors: [Int32]) {
        do throws(Failure) {
            for number in descriptors { programs.append(try Applier.program(from: number)) }
        } catch {
            failure = error
        }
    }
}
