import Kernel
import SpecFile

extension EnterJail {
    /// A connection to the launcher of the jail that a process is in, and that one's id: the process itself, or the next of its
    /// ancestors that has a door.
    static func reach(_ process: Int32, in proc: HostProc) throws(Trouble) -> (door: Int32, launcher: Int32) {
        let place = try Ancestry(of: process, in: proc)
        var here = place
        var candidate = process
        while true {
            if let door = try call(candidate, in: proc) {
                guard place.depth <= here.depth + 1 else {
                    closeDescriptor(door)
                    throw .said(
                        Diagnostic(
                            "enter: process \(process) is in a pid namespace of its own within the jail of process \(candidate)",
                            at: nil, hint: "to enter that jail: immure enter \(candidate)"))
                }
                return (door, candidate)
            }
            guard here.parent > 1 else { break }
            candidate = here.parent
            here = try Ancestry(of: candidate, in: proc)
        }
        throw .said(
            Diagnostic(
                "enter: no launcher of immure waits for process \(process): it is in no jail, or in one whose launcher did not stay",
                at: nil,
                hint: "name the process that `immure run` is, of a jail with a pid namespace of its own or a timeout"))
    }

    /// Whose child a process is, and in how many pid namespaces it is that this one sees.
    private struct Ancestry {
        var parent: Int32 = 0
        var depth = 1

        init(of process: Int32, in proc: HostProc) throws(Trouble) {
            do throws(KernelError) {
                for line in try readText("\(process)/status", at: proc.descriptor).split(separator: "\n") {
                    let fields = line.split(separator: "\t")
                    if line.utf8.starts(with: "PPid:".utf8) { parent = fields.last.flatMap { Int32($0) } ?? 0 }
                    if line.utf8.starts(with: "NSpid:".utf8) { depth = fields.count - 1 }
                }
            } catch {
                throw .said(Diagnostic("enter: there is no process \(process)", at: nil))
            }
        }
    }

    /// nil where that process has no door. Who answers at it is asked of the kernel, and must be as free as this process: one in a jail
    /// would get this one's terminal.
    private static func call(_ launcher: Int32, in proc: HostProc) throws(Trouble) -> Int32? {
        let door: Int32
        let user: UInt32
        let differences: [String]
        let isElsewhere: Bool
        do throws(KernelError) {
            let process = try openProcess(launcher)
            let connection = try connect(to: Door.name(of: launcher))
            let who = try peer(of: connection.number)
            guard who.process == launcher else { return nil }
            differences = try Freedom(of: "\(launcher)", in: proc).differences(from: Freedom(of: "self", in: proc))
            isElsewhere = Freedom.isElsewhere(than: launcher, in: proc)
            // All of that was asked by the id, which has been that process's as long as it lives.
            guard try !look(at: process.number).isReady else { return nil }
            (door, user) = (connection.release(), who.user)
        } catch {
            return nil
        }
        if user == effectiveUser(), differences.isEmpty, !isElsewhere { return door }
        closeDescriptor(door)
        guard user == effectiveUser() else {
            throw .said(Diagnostic("enter: uid \(user) has launched this jail, and nobody else may enter it", at: nil))
        }
        guard differences.isEmpty else {
            throw .said(
                Diagnostic(
                    "enter: process \(launcher) is confined otherwise than this one (\(differences.joined(separator: ", "))): "
                        + "it may be in a jail itself", at: nil, hint: launchHint))
        }
        throw .said(
            Diagnostic(
                "enter: process \(launcher) is in another mount namespace than this one", at: nil,
                hint: user == 0 ? "as root: nsenter -t \(launcher) -m immure enter \(launcher)" : launchHint))
    }

    static let launchHint = "enter from the shell or the unit that has launched it"
}
