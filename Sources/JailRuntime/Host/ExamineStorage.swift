import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// What overlays and idmapped mounts need beside their types.
extension Examination {
    mutating func storage() {
        // As a user's overlay has them in its upper: each mark of overlayfs is one.
        let attributes = Trial.attempt(in: [.user, .mount]) { () throws(KernelError) in
            let tmpfs = try makeFileSystem("tmpfs", [], .closed)
            let root = try open(".", at: tmpfs.number, .read | .directory)
            try setExtendedAttribute("user.overlay.immure", [], of: root.number)
        }
        add(
            "mount", "throw-away", attributes, orElse: .absent,
            works: "changes of a user's overlay can be thrown away",
            remedy: { $0.failure.errno == .notSupported ? Remedy.attributesOfTmpfs : nil })
        guard evidence.uid == 0 else {
            return add("mount", "idmap", .absent, "only root may have files appear with other ids")
        }
        add(
            "mount", "idmap", refusalOfMapping(), orElse: .absent,
            works: "the current directory is on a file system whose ids can be mapped",
            remedy: { $0.failure.errno == .invalid ? Remedy.mappable : nil })
    }

    /// A clone of where the caller is, which is attached to nothing.
    private func refusalOfMapping() -> Errno? {
        do throws(Failure) {
            let one = [Identity.Range(inside: 0, outside: 1, count: 1)]
            let mapping = try UserNamespace.make(one, one, HostProc())
            try failing { () throws(KernelError) in
                let clone = try cloneTree(".", recursive: false)
                try setAttributes(of: clone.number, .idMapped, recursive: false, mapping: mapping.number)
            }
            return nil
        } catch {
            return error.errno
        }
    }
}
