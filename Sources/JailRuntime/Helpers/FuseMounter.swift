import Kernel

/// fusermount(1) for a server that this program has started: libfuse 2 takes no channel that is open already, but the one that
/// this program sends it.
///
/// With `auto_unmount` libfuse does not mount by itself: it starts fusermount with a socket in _FUSE_COMMFD, and waits for a
/// descriptor there. The jail has mounted the file system, and its channel comes through the server, which has inherited it.
package enum FuseMounter {
    /// The file of this program: it is started without what it may be linked with, so a static one.
    static let program = "/proc/self/exe"
    /// Under which libfuse 2 and libfuse 3 start it.
    static let names = ["fusermount", "fusermount3"]
    /// Holds the number of the channel.
    static let variable = "IMMURE_FUSE_CHANNEL"

    /// Hands the channel over and ends the process, where it was started for that; `name` is its first word.
    package static func answer(as name: String?) {
        guard name == "fusermount" || name == "fusermount3", let channel = number(in: variable),
            let socket = number(in: "_FUSE_COMMFD")
        else { return }
        do throws(KernelError) {
            try send([0], over: socket, passing: channel)
        } catch {
            exitNow(1)  // the server says what it lacks
        }
        exitNow(0)
    }

    private static func number(in variable: String) -> Int32? { environmentVariable(variable).flatMap { Int32($0) } }
}
