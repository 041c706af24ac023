import JailPlan
import Kernel
package import SpecFile

extension Caller {
    /// Throws what to install, where one of these programs is missing; each is in Debian's package of that name.
    package static func requirePrograms(_ names: [String]) throws(Diagnostic) {
        let missing = names.filter { !HostProgram.isInstalled($0) }
        guard !missing.isEmpty else { return }
        throw Diagnostic(
            missing.joined(separator: " and ") + (missing.count == 1 ? " is" : " are") + " not installed", at: nil,
            hint: Remedy.install(missing.joined(separator: " ")))
    }

    /// Has a program of the host do some work of the caller's, and waits for its end. It has no input and no terminal, and of the
    /// environment a PATH and HOME. What it says last is told where it fails.
    package static func run(_ name: String, _ arguments: [String]) throws(Diagnostic) {
        let end: Termination
        var helper: HelperProcess
        do throws(Failure) {
            var order = HelperOrder(
                program: try HostProgram.find(name, call: .execve), arguments: [name] + arguments)
            if let home = variable("HOME") { order.environment.append("HOME=" + home) }
            helper = try HelperProcess.start(order) { 1 << 20 }
            end = try helper.finish(noticing: nil)
        } catch {
            if case .helperMissing = error.cause { try requirePrograms([name]) }
            throw Diagnostic("\(name): \(error.call.name): \(error.errno.name)", at: nil)
        }
        guard end == .exited(0) else { throw Diagnostic("\(name): \(helper.lastWords)", at: nil) }
    }

    /// Makes a directory that nobody else may enter, and fills it: what an image brings along, set-user-ID programs for one, is no
    /// other user's to run. Where `fill` fails, the directory goes with all that is in it.
    package static func makePrivateDirectory(
        _ path: String, filling fill: () throws(Diagnostic) -> Void
    ) throws(Diagnostic) {
        let (parent, name) = try trustedParent(of: path)
        defer { closeDescriptor(parent) }
        let made: Int32
        do throws(KernelError) {
            try makeDirectory(name, at: parent, permissions: 0o700)
            made = try open(name, at: parent, .read | .directory | .noFollow).release()
        } catch {
            throw Diagnostic("cannot make \(quoted(path)): \(error.errno.name) \(error.errno.words)", at: nil)
        }
        defer { closeDescriptor(made) }
        do throws(Diagnostic) {
            try fill()
        } catch {
            let fault = error
            do throws(KernelError) {
                try RemoveTree.empty(made)
                try removeDirectory(name, at: parent)
            } catch {
                throw Diagnostic("\(fault.message); \(path) stays: \(error.errno.name)", at: nil, hint: fault.hint)
            }
            throw fault
        }
    }

    /// The directory that a new one is to be made in, open, and its name there. What fills it goes by its name: nobody else may be
    /// able to put another in its place.
    private static func trustedParent(of path: String) throws(Diagnostic) -> (parent: Int32, name: String) {
        let user = effectiveUser()
        let (directory, name) = directoryAndName("/" + components(absolute(path)).joined(separator: "/"))
        let (parent, fault): (Int32, Diagnostic?)
        do throws(WalkFault) {
            (parent, fault) = try reach(
                directory, following: LinkRule(user: user, isRoot: user == 0), trusting: user)
        } catch {
            switch error {
            case .refused(let error):
                throw Diagnostic("cannot make \(quoted(path)): \(error.errno.name) \(error.errno.words)", at: nil)
            case .link(let link, let objection):
                let reason = LinkWords.reason(link.path, owner: link.owner, objection)
                throw Diagnostic("cannot make \(quoted(path)): \(reason)", at: nil, hint: LinkWords.hint(objection))
            }
        }
        if let fault {
            closeDescriptor(parent)
            throw Diagnostic("cannot make \(quoted(path)): \(fault.message)", at: nil, hint: fault.hint)
        }
        return (parent, name)
    }

    /// Whether chdir(2) leads there.
    package static func mayEnter(_ path: String) -> Bool { canEnter(path) }

    /// The names in a directory; none where there is no such directory.
    package static func directoryNames(_ path: String) throws(Diagnostic) -> [String] {
        do throws(KernelError) {
            let directory = try open(path, .read | .directory)
            return try entries(of: directory.number)
        } catch {
            if error.errno == .noEntry || error.errno == .notDirectory { return [] }
            throw Diagnostic("cannot read \(quoted(path)): \(error.errno.name) \(error.errno.words)", at: nil)
        }
    }

    package static func isDirectory(_ path: String) -> Bool {
        do throws(KernelError) {
            return try status(ofPath: path).isDirectory
        } catch {
            return false
        }
    }
}
