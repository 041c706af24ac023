import SpecFile

/// What helps where a file system cannot do what a mount asks of it.
extension Remedy {
    /// Where the ids of files can be mapped.
    package static let mappable =
        "name a directory on ext4, xfs, btrfs or, since Linux 6.3, tmpfs; what is mounted below one is left out by options = "
        + "[\"bind\"]"
    /// The kernel's own readers of images that can, each by the version that brought it.
    package static let mappableImage = "make it ext4 or, since Linux 5.19, erofs; squashfs can since Linux 6.2"
    /// Where an ordinary user can store no more than so much.
    package static let limitedRoom =
        "an overlay without upper, a tmpfs (size) and an ext4 image with \"rw\" (\(makeImage)) have a limit; or have root set a project quota"
    /// An ext4 whose root directory belongs to whoever makes it.
    package static let makeImage = "mke2fs -t ext4 -E root_owner -d DIRECTORY FILE SIZE"
    /// tmpfs has attributes of users.
    package static let attributesOfTmpfs =
        "Linux 6.6, or upper and work on a disk, or idmap = true, for fuse-overlayfs to make it"
}

/// What helps where a file system does not limit what a directory holds.
extension Remedy {
    /// What has a limit wherever it is.
    package static let boundElsewhere = "an overlay without upper or a tmpfs (size) has a limit anywhere"
    /// A remount leaves them as they are.
    package static func mountEnforcing(_ point: String) -> String {
        point == "/"
            ? "as root: put rootflags=prjquota on the kernel's command line, and start the machine again"
            : "as root: umount \(shellWord(point)), then mount it with -o prjquota (a remount is not enough)"
    }
    package static func quotaFeature(_ point: String, _ device: String) -> String {
        // The root is never unmounted while its system runs: ext4 takes the option from its own superblock at the next start.
        if point == "/" {
            return
                "from a rescue system, as root: tune2fs -O project,quota -Q prjquota -E mount_opts=prjquota \(shellWord(device))"
        }
        return
            "as root: umount \(shellWord(point)) && tune2fs -O project,quota -Q prjquota \(shellWord(device)), then mount it with -o prjquota"
    }
}
