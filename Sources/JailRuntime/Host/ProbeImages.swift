import JailPlan
import JailSpec
import Kernel

extension Host {
    /// Looks into an image that the spec mounts, and at what an ordinary user needs for it.
    mutating func lookAtImage(_ path: String, _ written: UInt64?) {
        if !isPrivileged {
            images.hasSquashfuse = HostProgram.isInstalled("squashfuse")
            images.opensFuse = Self.opensFuse()
        }
        do throws(KernelError) {
            let named = try status(ofPath: path)
            guard named.isRegular else {
                images.files.append(HostImages.File(path: path, written: written, format: nil, offset: written ?? 0))
                return
            }
            let file = try open(path, .read | .nonBlocking | .noTerminal)
            let header = try ImageHeader(of: file.number, from: written)
            images.files.append(
                HostImages.File(
                    path: path, written: written, format: header.format, offset: header.offset, size: UInt64(named.size)
                ))
        } catch {
            return  // the launch will find out, and say where
        }
    }

    /// What an ordinary user needs for an overlay that shows all as the jail's.
    mutating func lookForServer(of mount: Mount) {
        guard mount.asksForServer, !isPrivileged else { return }
        images.hasFuseOverlayfs = HostProgram.isInstalled(OverlaySource.server)
        images.opensFuse = Self.opensFuse()
    }

    /// Whether the caller may open the device by which the kernel asks a server.
    static func opensFuse() -> Bool {
        do throws(KernelError) {
            _ = try open("/dev/fuse", .readWrite)
            return true
        } catch {
            return false
        }
    }
}
