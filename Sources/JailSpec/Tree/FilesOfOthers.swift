import LinuxFacts
package import SpecFile

extension Mount {
    /// Whether the jail makes files through it that are somebody else's on the host: root's, where the source is.
    ///
    /// An overlay and an image are no such mount: their changes are in memory, and gone with the jail.
    package var makesFilesOfOthers: Bool {
        guard case .bind = source, let idmap, idmap.value else { return false }
        return !options.asked.hasAll(of: .readOnly)
    }

    /// Whether set-user-ID counts below it, `suid`: then the jail may give that bit to the files that it makes there.
    package var honoursRights: Bool { !options.attributes.hasAll(of: .noSetuid) }
}

extension Filesystem {
    /// The first line by which the jail makes files that are another's on the host, to which it must give no rights.
    package var filesOfOthers: Located<Bool>? {
        mounts.first { $0.makesFilesOfOthers && !$0.honoursRights }?.idmap
    }
}
