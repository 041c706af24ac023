import CLinux
package import LinuxFacts

/// A detached copy of the mount at `path`, with its submounts where `recursive`. The corresponding C function is
/// `open_tree` with `OPEN_TREE_CLONE`.
package func cloneTree(
    _ path: String, at directory: Int32 = currentDirectory, recursive: Bool, followLast: Bool = true
) throws(KernelError) -> Descriptor {
    var flags = UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | UInt32(AT_EMPTY_PATH)
    if recursive { flags |= UInt32(AT_RECURSIVE) }
    if !followLast { flags |= UInt32(AT_SYMLINK_NOFOLLOW) }
    return Descriptor(
        owning: try attempt(.openTree, path) { unsafe path.withKernelText { unsafe open_tree(directory, $0, flags) } })
}

/// Adds attributes to a mount, and takes it (and what is below it) out of all propagation. Attributes are only ever
/// added: in a user namespace the kernel refuses to clear those that the source has locked. `idMapped` takes the descriptor
/// of a user namespace: an id that it maps from is that of a file, what it maps it to is how the file appears.
/// The corresponding C function is `mount_setattr`.
package func setAttributes(
    of mount: Int32, _ attributes: MountAttributes, recursive: Bool, makePrivate: Bool = true, mapping: Int32? = nil
) throws(KernelError) {
    var request = mount_attr()
    request.attr_set = attributes.rawValue
    request.attr_clr = attributes.touchesAccessTime ? UInt64(MOUNT_ATTR__ATIME) : 0
    request.propagation = makePrivate ? UInt64(MS_PRIVATE) : 0
    if let mapping { request.userns_fd = UInt64(mapping) }
    let flags = UInt32(AT_EMPTY_PATH) | (recursive ? UInt32(AT_RECURSIVE) : 0)
    try attempt(.mountSetattr) { unsafe mount_setattr(mount, "", flags, &request, MemoryLayout<mount_attr>.size) }
}

/// Attaches a detached mount on what `target` names. The corresponding C function is `move_mount`.
package func attach(_ mount: Int32, on target: Int32) throws(KernelError) {
    let flags = UInt32(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
    try attempt(.moveMount) { unsafe move_mount(mount, "", target, "", flags) }
}

/// The same on an entry of a directory, which is not followed where it is a symbolic link.
package func attach(_ mount: Int32, on name: String, at directory: Int32) throws(KernelError) {
    try attempt(.moveMount, name) {
        unsafe name.withKernelText { unsafe move_mount(mount, "", directory, $0, UInt32(MOVE_MOUNT_F_EMPTY_PATH)) }
    }
}

/// Attaches a detached mount over the caller's own root directory, hiding it from new look-ups of mounts but not from
/// paths, which start below it.
package func attachOverRoot(_ mount: Int32) throws(KernelError) {
    try attempt(.moveMount, "/") {
        unsafe move_mount(mount, "", AT_FDCWD, "/", UInt32(MOVE_MOUNT_F_EMPTY_PATH))
    }
}

/// A file system that is being made. The corresponding C functions are `fsopen`, `fsconfig` and `fsmount`.
package struct FileSystemContext: ~Copyable {
    private let type: String
    private let context: Descriptor

    package init(_ type: String) throws(KernelError) {
        self.type = type
        context = Descriptor(
            owning: try attempt(.fsopen, type) {
                unsafe type.withKernelText { unsafe fsopen($0, UInt32(FSOPEN_CLOEXEC)) }
            })
    }

    /// Sets one parameter; without a value it is a flag.
    package func set(_ key: String, _ value: String?) throws(KernelError) {
        try attempt(.fsconfig, key) {
            unsafe key.withKernelText { key in
                guard let value else {
                    return unsafe fsconfig(context.number, UInt32(FSCONFIG_SET_FLAG.rawValue), key, nil, 0)
                }
                return unsafe value.withKernelText {
                    unsafe fsconfig(context.number, UInt32(FSCONFIG_SET_STRING.rawValue), key, $0, 0)
                }
            }
        }
    }

    /// Sets a parameter that is a file, by its descriptor (`FSCONFIG_SET_FD`).
    package func set(_ key: String, descriptor: Int32) throws(KernelError) {
        try attempt(.fsconfig, key) {
            unsafe key.withKernelText { key in
                unsafe fsconfig(context.number, UInt32(FSCONFIG_SET_FD.rawValue), key, nil, descriptor)
            }
        }
    }

    /// As `mount`; where the kernel refuses, what it has said of that is added to `words`, fsopen(2).
    package consuming func mount(
        _ attributes: MountAttributes, hearing words: inout [String]
    ) throws(KernelError) -> Descriptor {
        let own = context.number
        do throws(KernelError) {
            try attempt(.fsconfig, type) { fsconfig(own, UInt32(FSCONFIG_CMD_CREATE.rawValue), nil, nil, 0) }
        } catch {
            hear(&words)
            throw error
        }
        return Descriptor(
            owning: try attempt(.fsmount, type) { fsmount(own, UInt32(FSMOUNT_CLOEXEC), UInt32(attributes.rawValue)) })
    }

    /// What the kernel has to say, a line with each read(2), until there is no more.
    private func hear(_ words: inout [String]) {
        while true {
            do throws(KernelError) {
                let line = try read(context.number, upTo: 512)
                words.append(String(decoding: line, as: UTF8.self))
            } catch {
                return  // ENODATA
            }
        }
    }

    /// A new instance, mounted nowhere.
    package consuming func mount(_ attributes: MountAttributes) throws(KernelError) -> Descriptor {
        try attempt(.fsconfig, type) {
            fsconfig(context.number, UInt32(FSCONFIG_CMD_CREATE.rawValue), nil, nil, 0)
        }
        return Descriptor(
            owning: try attempt(.fsmount, type) {
                fsmount(context.number, UInt32(FSMOUNT_CLOEXEC), UInt32(attributes.rawValue))
            })
    }
}

/// A new, detached instance of a file system.
package func makeFileSystem(
    _ type: String, _ options: [FileSystemOption] = [], _ attributes: MountAttributes
) throws(KernelError) -> Descriptor {
    let context = try FileSystemContext(type)
    for option in options { try context.set(option.key, option.value) }
    return try context.mount(attributes)
}

/// Takes every mount that the caller sees out of propagation, so that nothing it mounts shows elsewhere and nothing
/// mounted elsewhere shows here.
package func isolateMounts() throws(KernelError) {
    try attempt(.mountSetattr, "/") {
        var request = mount_attr()
        request.propagation = UInt64(MS_PRIVATE)
        return unsafe mount_setattr(AT_FDCWD, "/", UInt32(AT_RECURSIVE), &request, MemoryLayout<mount_attr>.size)
    }
}

/// Makes the mount `root` the caller's root directory and throws the old one away.
///
/// `pivot_root(".", ".")` stacks the old root on the new one (pivot_root(2), NOTES), so no directory for it is needed;
/// detaching then takes the old tree with everything below it.
package func switchRoot(to root: Int32) throws(KernelError) {
    try attempt(.fchdir) { fchdir(root) }
    try attempt(.pivotRoot) { unsafe linux_pivot_root(".", ".") }
    // umount2(".") takes only the topmost mount, and a mirror of the root stands on the tree that it mirrors: all that is
    // left must go, for `/..` would lead to it.
    for _ in 0..<8 {
        try attempt(.umount) { unsafe umount2(".", Int32(MNT_DETACH)) }
        try attempt(.chdir, "/") { unsafe chdir("/") }
        let isOwn =
            try mountIdentity("/..", currentDirectory, isUnique: false)
            == mountIdentity("/", currentDirectory, isUnique: false)
        if isOwn { return }
    }
    throw KernelError(.umount, Errno(rawValue: EBUSY), path: "/..")
}

/// The most bytes of options that `mountPlainly` may be given: what is longer is cut in silence, to a page with its end.
package let longestMountOptions = 4095

/// Makes a file system, closed, and attaches it to a directory, by options in one text. The corresponding C function is `mount`.
package func mountPlainly(_ type: String, on target: String, options: String) throws(KernelError) {
    try attempt(.mount, target) {
        unsafe target.withKernelText { target in
            unsafe options.withKernelText {
                unsafe mount(type, target, type, UInt(MS_NOSUID | MS_NODEV), $0)
            }
        }
    }
}

/// Takes an attached mount, the topmost where it stands, out of the tree. The corresponding C function is `umount2`.
package func detach(_ mount: Int32) throws(KernelError) {
    try attempt(.fchdir) { fchdir(mount) }
    try attempt(.umount) { unsafe umount2(".", Int32(MNT_DETACH)) }
    try attempt(.chdir, "/") { unsafe chdir("/") }
}
