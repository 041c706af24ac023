import JailPlan
import Kernel
import LinuxFacts

extension Applier {
    /// One access that no rule can allow tells of the whole ruleset, which holds at once or not at all.
    mutating func checkLandlock(_ plan: Plan) throws(Failure) {
        guard let handled = plan.landlockHandled else { return }
        let (what, isRefused) = try tryForbidden(handled, plan)
        try hold(
            isRefused, "landlock", "closes " + handled.names.joined(separator: ","),
            isRefused ? "\(what) is refused" : "\(what) is allowed")
    }

    /// Before the rules hold: what they will forbid, whatever they are.
    mutating func prepareForbidden(_ handled: LandlockHandled) throws(Failure) {
        guard isVerified else { return }
        if handled.files.rawValue & FileAccess.readDirectory.rawValue != 0 { try prepareForbidden() }
        if handled.scopesAbstractSockets { witness.listener = try failing(listenAbstractly) }
    }

    /// Makes a directory that no rule can name.
    mutating func prepareForbidden() throws(Failure) {
        do throws(KernelError) {
            // Detached: no directory stands above it.
            witness.forbidden = try Kernel.makeFileSystem("tmpfs", [FileSystemOption("mode", "0755")], []).release()
        } catch {
            // Without the right to mount the jail has the host's tree.
            guard error.errno == .notPermitted else { throw Failure(error) }
        }
    }

    private func tryForbidden(_ handled: LandlockHandled, _ plan: Plan) throws(Failure) -> (String, Bool) {
        if witness.forbidden >= 0 {
            // What keeps the command to its tree closes all accesses but this one.
            return ("a FIFO where no rule is for", isFIFORefused(at: witness.forbidden))
        }
        if handled.files.rawValue & FileAccess.readFile.rawValue != 0, !landlock.allowsProc {
            return ("a file of procfs", isForbidden("self/status", at: try proc().descriptor, .read))
        }
        // Port 0 is nobody's; a port of programs (below 1024 the kernel itself may refuse) only where a rule names that.
        if handled.bindsTCP, let port = portWithoutRule(.bind, plan) {
            return ("bind to port \(port)", refusal(ofTCP: .bind, port: port) == .accessDenied)
        }
        if handled.connectsTCP, let port = portWithoutRule(.connect, plan) {
            return ("connect to port \(port)", refusal(ofTCP: .connect, port: port) == .accessDenied)
        }
        if handled.scopesAbstractSockets {
            return ("an abstract socket from outside", isAbstractSocketClosed(witness.listener))
        }
        // Without an init nobody outside can be named by an id; and rules for files of all the host's tree are met by
        // every file: what then holds, no access tells.
        guard handled.scopesSignals, plan.supervision.hasInit else { return ("nothing that can be tried", true) }
        return ("a signal to the reaper", isSignalClosed(parentProcess()))
    }

    private func portWithoutRule(_ use: PortUse, _ plan: Plan) -> UInt16? {
        var taken: [UInt16] = []
        for step in plan.steps {
            if case .landlock(.allowPort(let port, let other)) = step.operation, other.rawValue == use.rawValue {
                taken.append(port)
            }
        }
        if !taken.contains(0) { return 0 }
        return (1024...65535).last { !taken.contains($0) }
    }

    private func isFIFORefused(at directory: Int32) -> Bool {
        do throws(KernelError) {
            try makeFIFOEntry(EntryName("x"), at: directory, permissions: 0o600)
            return false
        } catch {
            return error.errno == .accessDenied
        }
    }

    func isForbidden(_ path: String, at directory: Int32, _ mode: OpenMode) -> Bool {
        do throws(KernelError) {
            _ = try open(path, at: directory, mode)
            return false
        } catch {
            return error.errno == .accessDenied
        }
    }
}
