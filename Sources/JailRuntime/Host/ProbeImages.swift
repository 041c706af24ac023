import JailPlan
import JailSpec
import Kernel

extension Host {
    /// Looks into an image that the spec mounts, and at what an ordinary user needs for it.
    mutating func lookAtImage(_ path: String, _ written: UInt64?) {
        if !isPrivileged { images.opensFuse = Self.opensFuse() }
        do throws(KernelError) {
            let named = try status(ofPath: path)
            guard named.isRegular else {
                images.files.append(HostImages.File(path: path, written: written, format: nil, offset: written ?? 0))
                return
            }
            let file = try open(path, .read | .nonBlocking | .noTerminal)
            let found = Self.look(into: file.number, path, written, size: UInt64(named.size))
            images.files.append(found)
            guard !isPrivileged, let server = found.format?.server, !images.servers.contains(server) else { return }
            if HostProgram.isInstalled(server) { images.servers.append(server) }
        } catch {
            images.closed.append((path, Self.words(error)))  // the launch will find out, and say where
        }
    }

    /// A plan without the format would be another one than that of the same file when it can be read.
    private static func look(into file: Int32, _ path: String, _ written: UInt64?, size: UInt64) -> HostImages.File {
        do throws(KernelError) {
            let header = try ImageHeader(of: file, from: written)
            return HostImages.File(
                path: path, written: written, format: header.format, offset: header.offset, size: size)
        } catch {
            return HostImages.File(
                path: path, written: written, format: nil, offset: written ?? 0, size: size, refusal: words(error))
        }
    }

    private static func words(_ error: KernelError) -> String {
        "\(error.call.name): \(error.errno.name) \(error.errno.words)"
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
