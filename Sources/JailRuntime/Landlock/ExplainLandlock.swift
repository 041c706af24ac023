import JailPlan
import Kernel

/// Why the Landlock rules cannot be made.
extension Explanation {
    var landlockHint: String? {
        switch (failure.call, failure.errno) {
        case (.openat, .noEntry):
            "paths under [landlock] are those inside the jail, where this one is not: mount it (ro or rw), or take the "
                + "line out"
        case (.openat, .accessDenied): "the jail's user may not search a directory on the way to it"
        case (.openat, .notDirectory): "something on the way to it is a file"
        case (.openat, .loop): "it leads through too many symbolic links"
        case (.landlockAddRule, Errno(rawValue: 77)): "the file system that it is on has no files that last (nsfs, …)"
        case (.landlockAddRule, .noAddressFamily): "this kernel has no TCP (CONFIG_INET): take the key out"
        case (.landlockRestrictSelf, .tooBig):
            "immure was started below as many Landlock layers as the kernel stacks (16)"
        case (_, .unsupported), (_, .notSupported):
            filterHint ?? Remedy.bootLandlock
        case (_, .notPermitted): filterHint
        default: nil
        }
    }
}
