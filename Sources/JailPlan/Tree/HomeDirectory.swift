import JailSpec
import SpecFile

/// Where the command is at home: what HOME says, and what passwd(5) says wherever the jail has that directory.
struct HomeDirectory {
    let path: String
    /// Whether a private tmpfs stands there.
    let isPrivate: Bool
}

extension Premises {
    /// The home of an account: private, or what the jail shows of it; else the private /tmp, else the root.
    func home(of account: Host.User?) -> HomeDirectory {
        let files = spec.filesystem
        let elsewhere = HomeDirectory(path: files.tmp.value.isNone ? "/" : "/tmp", isPrivate: false)
        guard let path = account?.home ?? host.unlistedHome, isHome(path) else { return elsewhere }
        if !spec.namespaces[.mount].value.isNew { return HomeDirectory(path: path, isPrivate: false) }
        if files.mounts.contains(where: { $0.isHidden && isWithin(path, $0.target) }) { return elsewhere }
        let isShown = files.mounts.contains { isWithin(path, $0.target) && $0.showsTree }
        let isTaken = files.mounts.contains { $0.target == path }
        let wantsPrivate = !files.home.value.isNone
        switch files.root.value {
        case .host, .directory, .image:
            // The tree has it; over that only what is written.
            return HomeDirectory(
                path: path, isPrivate: wantsPrivate && !isTaken && files.home.position != nil)
        case .empty where files.home.position == nil && !files.mounts.contains(where: { isWithin($0.target, path) }):
            // Nothing is there that has not been asked for.
            return isShown ? HomeDirectory(path: path, isPrivate: false) : elsewhere
        case .system, .empty:
            if isTaken || (isShown && files.home.position == nil) { return HomeDirectory(path: path, isPrivate: false) }
            if host.rootEntries.contains(where: { isWithin(path, "/" + $0.name) }) { return elsewhere }
            if wantsPrivate { return HomeDirectory(path: path, isPrivate: true) }
            return isShown ? HomeDirectory(path: path, isPrivate: false) : elsewhere
        }
    }

    /// Whether a home of passwd(5) is a directory that somebody could be at home in, and by a path that is one.
    private func isHome(_ path: String) -> Bool {
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count < 4096, cleaned(path) == path else { return false }
        switch path {
        case "/", "/nonexistent", "/tmp", "/var/tmp": return false
        default: break
        }
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual("..".utf8) || part.count > 255 || part.contains(0) { return false }
        }
        return !["/proc", "/dev", "/sys"].contains { isWithin(path, $0) }
    }
}

extension Mount {
    /// Whether it shows a tree that has directories of its own.
    fileprivate var showsTree: Bool {
        switch source {
        case .bind, .overlay, .image: true
        case .tmpfs, .proc, .sysfs, .devpts, .mqueue, .cgroup, .file, .passedFile, .symlink, .directory, .hidden: false
        }
    }
}
