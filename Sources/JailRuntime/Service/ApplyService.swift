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

    mutating func makeNoticeSocket(
        _ fileSystem: FileSystem, _ attributes: MountAttributes, of plan: Plan
    ) throws(Failure) -> Int32 {
        let mount = try makeFileSystem(fileSystem, attributes)
        service.notices = try failing { () throws(KernelError) in try makeNoticeSocketFile("notify", in: mount) }
        if plan.notices?.isDirect == true { report(.notices, passing: service.notices) }
        return mount
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

    mutating func makeCredentials(
        _ fileSystem: FileSystem, _ attributes: MountAttributes
    ) throws(Failure) -> Int32 {
        let mount = try makeFileSystem(fileSystem, attributes)
        let credentials = service.credentials
        try failing { () throws(KernelError) in
            for credential in credentials {
                let file = try open(
                    credential.name, at: mount, .write | .create | .exclusive | .noFollow, permissions: 0o400)
                try writeAll(file.number, credential.content, path: credential.name)
            }
        }
        service.credentials = []
        return mount
    }
}
