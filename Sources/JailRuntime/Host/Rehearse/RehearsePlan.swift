package import JailPlan
import JailSpec
import Kernel
package import SpecFile

extension Plan {
    /// What a launch by this caller on this host would be refused for, as far as that can be known without one.
    ///
    /// Each step that leaves nothing behind is tried by the launch's own code, each in a process of its own: what one does to itself is
    /// nothing to the next. The words are those of the launch.
    package func rehearse() throws(Diagnostic) -> [Diagnostic] {
        var faults: [Diagnostic] = []
        var found: [(position: Position?, failure: Failure)] = []
        for index in steps.indices {
            let operation = steps[index].operation
            if case .never = operation.rehearsal { continue }
            for part in [operation] + operation.parts {
                guard let failure = try failure(of: index, part) else { continue }
                let fault = Explanation(failure.at(index), of: self).diagnostic
                // Two steps of one line, as to raise a limit and to set it, fail for one reason.
                if fault.position != nil, found.contains(where: { $0 == fault.position && $1.isSame(as: failure) }) {
                    continue
                }
                found.append((fault.position, failure))
                faults.append(fault)
            }
        }
        return faults
    }

    /// nil too where that process did not come to its end, as one that has set itself a limit of memory may not.
    private func failure(of index: Int, _ operation: Operation) throws(Diagnostic) -> Failure? {
        do throws(KernelError) {
            let (reading, writing) = try makePipe()
            defer { closeDescriptor(reading) }
            guard case .parent(let child) = try fork() else { tryStep(index, operation, telling: writing) }
            closeDescriptor(writing)
            let bytes = try readAll(reading)
            var use = ResourceUse()
            _ = try wait(for: child, blocking: true, use: &use)
            guard case .failed(let failure)? = Message(bytes) else { return nil }
            return failure
        } catch {
            throw Diagnostic(
                "\(title(of: index)): cannot be tried: \(error.call.name): \(error.errno.name) \(error.errno.words)",
                at: nil)
        }
    }

    private func tryStep(_ index: Int, _ operation: Operation, telling pipe: Int32) -> Never {
        do throws(Failure) {
            var applier = Applier(slotCount: slotCount, tell: { _ in })
            applier.hostProc = try HostProc()
            applier.step = index
            try applier.rehearse(operation, of: self)
        } catch {
            do throws(KernelError) {
                try writeAll(pipe, Message.failed(error).bytes)
            } catch {
                exitNow(125)
            }
        }
        exitNow(0)
    }
}

extension Applier {
    fileprivate mutating func rehearse(_ operation: Operation, of plan: Plan) throws(Failure) {
        switch operation.rehearsal {
        case .never: break
        case .done:
            if case .process(.createNamespaces(let kinds)) = operation { return try makeNamespaces(kinds, of: plan) }
            try apply(operation, of: plan)
            try check(operation, in: plan)
        case .opened: try openNamed(by: operation, of: plan)
        case .sought: try seek(operation, of: plan)
        }
    }

    /// Of a child that ends at once. Those that are joined before may be what gives the right to make others.
    private mutating func makeNamespaces(_ kinds: [NamespaceKind], of plan: Plan) throws(Failure) {
        for step in plan.steps {
            guard case .process(.joinNamespaces(let joined)) = step.operation else { continue }
            do throws(Failure) {
                try join(joined, of: plan)
            } catch {
                return  // told as that step's own
            }
        }
        if case .direct = plan.shape {
            return try failing { () throws(KernelError) in try unshare(NamespaceFlags(kinds)) }
        }
        try failing { () throws(KernelError) in
            guard case .parent(let child) = try fork(into: NamespaceFlags(kinds)) else { exitNow(0) }
            var use = ResourceUse()
            _ = try wait(for: child, blocking: true, use: &use)
        }
    }
}

extension Operation {
    /// What is tried as well, where one reason may hide another.
    fileprivate var parts: [Operation] {
        switch self {
        case .tree(.fill(let slot, .overlay(let source), let promise)):
            source.parts.map { .tree(.fill(slot: slot, .overlay($0), promise)) }
        case .tree(.openOverlay(let slot, let source)): source.parts.map { .tree(.openOverlay(slot: slot, $0)) }
        default: []
        }
    }
}

extension Failure {
    /// Whether it is the same reason, whichever step it keeps from being done.
    fileprivate func isSame(as other: Failure) -> Bool {
        cause == other.cause && call == other.call && errno == other.errno && text == other.text
    }
}
