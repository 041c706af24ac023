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
        quotas()
        guard evidence.uid == 0 else {
            return add("mount", "idmap", .absent, "only root may have files appear with other ids")
        }
        add(
            "mount", "idmap", refusalOfMapping(), orElse: .absent,
            works: "the current directory is on a file system whose ids can be mapped",
            remedy: { $0.failure.errno == .invalid ? Remedy.mappable : nil })
    }

    /// Whether what the current directory holds could be limited.
    private mutating func quotas() {
        let state: ProjectQuotas
        do throws(KernelError) {
            let here = try open(".", .read | .directory)
            let magic = try fileSystemMagic(of: here.number)
            let isKnown = magic == FileSystemMagic.ext4 || magic == FileSystemMagic.xfs
            state = isKnown ? try projectQuotas(of: here.number) : .absent
        } catch {
            return add("mount", "quota", .absent, "the current directory cannot be looked at: \(error.errno.words)")
        }
        let who = evidence.uid == 0 ? "" : ", which only root may set"
        switch state {
        case .enforced:
            add(
                "mount", "quota", evidence.uid == 0 ? .ok : .absent,
                "what the current directory holds can have a limit" + who)
        case .counted:
            add(
                "mount", "quota", .absent, "project quotas are counted and not enforced where the current directory is",
                remedy: Remedy.boundElsewhere)
        case .absent:
            add(
                "mount", "quota", .absent, "the file system of the current directory has no project quotas",
                remedy: Remedy.boundElsewhere)
        }
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
