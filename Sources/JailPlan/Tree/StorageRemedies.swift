/// What helps where a file system cannot do what a mount asks of it.
extension Remedy {
    /// Where the ids of files can be mapped.
    package static let mappable =
        "name a directory on ext4, xfs, btrfs or, since Linux 6.3, tmpfs; what is mounted below one is left out by options = "
        + "[\"bind\"]"
    /// tmpfs has attributes of users.
    package static let attributesOfTmpfs = "Linux 6.6, or upper and work on a disk"
}
