import JailPlan
import Kernel
import LinuxFacts

/// Where mounts come from: trees and devices of the host, new file systems, private files.
extension Applier {
    mutating func openTree(_ slot: Int, _ source: TreeSource) throws(Failure) {
        do throws(KernelError) {
            let clone = try cloneTree(source.path, recursive: source.recursive)
            try setAttributes(of: clone.number, source.attributes, recursive: source.recursive)
            slots[slot] = clone.release()
        } catch {
            guard error.errno == .noEntry && source.optional else { throw Failure(error) }
            try reportSkipped()
        }
    }

    /// The node is proven by its numbers, not by its name.
    mutating func openDevice(_ slot: Int, _ name: String, _ major: UInt32, _ minor: UInt32) throws(Failure) {
        let clone = try cloneDevice("/dev/" + name, major, minor)
        try failing { () throws(KernelError) in
            try setAttributes(of: clone.number, .noSetuid | .noExecute, recursive: false)
        }
        slots[slot] = clone.release()
    }

    mutating func makeFileSystem(_ slot: Int, _ fileSystem: FileSystem) throws(Failure) {
        slots[slot] = try failing { () throws(KernelError) in
            let context = try FileSystemContext(fileSystem.type)
            for parameter in fileSystem.parameters { try context.set(parameter.key, parameter.value) }
            return try context.mount(fileSystem.attributes).release()
        }
    }

    /// A file of its own on a scratch tmpfs that leaves with the old root: only an attached mount can be cloned from.
    mutating func makeFile(_ slot: Int, content: String, mode: UInt32) throws(Failure) {
        let scratch = try tree.scratchDirectory()
        slots[slot] = try failing { () throws(KernelError) in
            let name = "file\(slot)"
            let file = try open(name, at: scratch, .write | .create | .exclusive, permissions: 0o600)
            try writeAll(file.number, Array(content.utf8), path: name)
            try setPermissions(file.number, mode)
            let clone = try cloneTree(name, at: scratch, recursive: false)
            try setAttributes(of: clone.number, .readOnly | .noSetuid | .noDevices, recursive: false)
            return clone.release()
        }
    }
}

/// A detached copy of a device node, proven by its numbers: its name may be anybody's.
func cloneDevice(_ path: String, _ major: UInt32, _ minor: UInt32) throws(Failure) -> Descriptor {
    let clone = try failing { () throws(KernelError) in try cloneTree(path, recursive: false) }
    let found = try failing { () throws(KernelError) in try status(of: clone.number) }
    guard found.isCharacterDevice, found.device == (major, minor) else {
        throw Failure(.wrongDevice, text: path)
    }
    return clone
}
