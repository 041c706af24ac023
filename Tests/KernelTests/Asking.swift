import CLinux
import Kernel

/// What a file is, whatever its name: device and inode; what is closed is equal to nothing.
func inode(of descriptor: Int32) -> String {
    var result = stat()
    guard unsafe fstat(descriptor, &result) == 0 else { return "closed \(UInt64.random(in: 0...UInt64.max))" }
    return "\(result.st_dev):\(result.st_ino)"
}

/// The errno of what a body throws; nil where it succeeds.
func errno(_ body: () throws(KernelError) -> Void) -> String? {
    do throws(KernelError) {
        try body()
        return nil
    } catch {
        return error.errno.name
    }
}
