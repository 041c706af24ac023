import CLinux

/// A block device that shows a file, from a place of it on: loop(4).
///
/// The kernel takes it away by itself (LO_FLAGS_AUTOCLEAR) when nobody has it open or mounted any more: however its owner ends,
/// none is left.
package struct LoopDevice: ~Copyable {
    private let device: Descriptor

    /// The name by which a file system finds the very device that is open here.
    package var path: String { "/proc/self/fd/\(device.number)" }

    /// Shows an open file from that byte on; `isWritten`: and takes changes to it. The corresponding C calls are `ioctl(LOOP_CTL_GET_FREE)` and
    /// `ioctl(LOOP_CONFIGURE)`.
    package init(showing file: Int32, from offset: UInt64, isWritten: Bool = false) throws(KernelError) {
        let control = try open("/dev/loop-control", .readWrite)
        var attempts = 0
        while true {
            let number = try attempt(.ioctl, "LOOP_CTL_GET_FREE") {
                linux_ioctl_value(control.number, UInt(LOOP_CTL_GET_FREE), 0)
            }
            let path = "/dev/loop\(number)"
            let found = try open(path, isWritten ? .readWrite : .read)
            guard try status(of: found.number).isBlockDevice, try status(of: found.number).device.major == Self.major
            else { throw KernelError(.open, Errno(rawValue: ENOTBLK), path: path) }
            var configuration = loop_config()
            configuration.fd = UInt32(bitPattern: file)
            configuration.info.lo_offset = offset
            configuration.info.lo_flags = UInt32(LO_FLAGS_AUTOCLEAR | (isWritten ? 0 : LO_FLAGS_READ_ONLY))
            do throws(KernelError) {
                try persist(.ioctl, "LOOP_CONFIGURE") {
                    unsafe linux_ioctl(found.number, UInt(LOOP_CONFIGURE), &configuration)
                }
            } catch {
                // Somebody else was given the same number, and was faster.
                attempts += 1
                guard error.errno == .busy, attempts < 1000 else { throw error }
                continue
            }
            device = found
            break
        }
    }

    /// LOOP_MAJOR of the kernel.
    private static let major: UInt32 = 7

    /// Whether it shows that file from there on, takes changes or none, and goes away by itself. The corresponding C call is
    /// `ioctl(LOOP_GET_STATUS64)`.
    package func shows(_ file: Int32, from offset: UInt64, isWritten: Bool = false) throws(KernelError) -> Bool {
        var found = loop_info64()
        try attempt(.ioctl, "LOOP_GET_STATUS64") {
            unsafe linux_ioctl(device.number, UInt(LOOP_GET_STATUS64), &found)
        }
        let wanted = try status(of: file).identity
        let flags = UInt32(LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR)
        let promised = isWritten ? UInt32(LO_FLAGS_AUTOCLEAR) : flags
        return found.lo_inode == wanted.inode && found.lo_offset == offset && found.lo_flags & flags == promised
    }
}
