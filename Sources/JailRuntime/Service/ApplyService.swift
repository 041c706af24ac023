import JailPlan
import Kernel
import LinuxFacts

/// What a launch holds for the service manager's sake; −1 where there is nothing.
struct ServiceEnds {
    /// Connected to the manager's notify socket.
    var manager: Int32 = -1
    /// The notify socket of the jail's own.
    var notices: Int32 = -1
    /// The jail's end of the channel that messages go to the launcher by.
    var launcher: Int32 = -1
    var credentials: [Credential] = []
    /// Variables that are to hold the command's process id.
    var ownProcess: [String] = []
}

/// A credential of systemd.exec(5): a file's name and what is in it.
struct Credential {
    let name: String
    let content: [UInt8]
}

extension Applier {
    mutating func connectManager(_ socket: String) throws(Failure) {
        service.manager = try failing { () throws(KernelError) in try connectNoticeSocket(socket) }
    }

    /// The directory is the tmpfs's own, so that the jail sees the socket and nothing else; it is made read-only last.
    mutating func makeNoticeSocket(_ slot: Int) throws(Failure) {
        (slots[slot], service.notices) = try failing { () throws(KernelError) in
            let options = [FileSystemOption("mode", "0755"), FileSystemOption("size", "4k")]
            let mount = try Kernel.makeFileSystem("tmpfs", options, .noSetuid | .noDevices | .noExecute)
            let socket = try makeNoticeSocketFile("notify", in: mount.number)
            return (mount.release(), socket)
        }
    }

    mutating func readCredentials(_ path: String) throws(Failure) {
        service.credentials = try failing { () throws(KernelError) in
            let directory = try open(path, .read | .directory | .noFollow)
            var found: [Credential] = []
            for name in try entries(of: directory.number) {
                let file = try open(name, at: directory.number, .read | .nonBlocking | .noTerminal | .noFollow)
                guard try status(of: file.number).isRegular else { continue }
                found.append(Credential(name: name, content: try readAll(file.number, path: "\(path)/\(name)")))
            }
            return found
        }
    }

    /// On ramfs, as systemd has it: what is secret is never swapped out.
    mutating func makeCredentials(_ slot: Int) throws(Failure) {
        let credentials = service.credentials
        slots[slot] = try failing { () throws(KernelError) in
            let mount = try Kernel.makeFileSystem(
                "ramfs", [FileSystemOption("mode", "0700")], .noSetuid | .noDevices | .noExecute)
            for credential in credentials {
                let file = try open(
                    credential.name, at: mount.number, .write | .create | .exclusive | .noFollow, permissions: 0o400)
                try writeAll(file.number, credential.content, path: credential.name)
            }
            return mount.release()
        }
        service.credentials = []
    }
}
