import CLinux

/// System calls that a launch cannot do without, or degrades without, each made with arguments that can have no effect.
package enum KernelFeature: String, CaseIterable, Sendable {
    case clone3, openat2, close_range, open_tree, mount_setattr, move_mount, fsopen, pidfd_open

    /// The first kernel that has it.
    package var since: String {
        switch self {
        case .clone3, .pidfd_open: "5.3"
        case .openat2: "5.6"
        case .close_range: "5.11"
        case .open_tree, .move_mount, .fsopen: "5.2"
        case .mount_setattr: "5.12"
        }
    }

    private var number: Int {
        switch self {
        case .clone3: Int(SYS_clone3)
        case .openat2: Int(SYS_openat2)
        case .close_range: Int(SYS_close_range)
        case .open_tree: Int(SYS_open_tree)
        case .mount_setattr: Int(SYS_mount_setattr)
        case .move_mount: Int(SYS_move_mount)
        case .fsopen: Int(SYS_fsopen)
        case .pidfd_open: Int(SYS_pidfd_open)
        }
    }

    /// Whether the kernel knows the call: anything but ENOSYS, which a filter may answer as well.
    package var isPresent: Bool { linux_is_present(number) != 0 }
}

/// The highest version of landlock(7); nil where there is none. The corresponding C call is
/// `landlock_create_ruleset(LANDLOCK_CREATE_RULESET_VERSION)`.
package func landlockABI() -> Int? {
    let version = linux_landlock_abi()
    return version > 0 ? version : nil
}

/// Whether the caller may write to that path. The corresponding C function is `access(W_OK)`.
package func mayWrite(_ path: String) -> Bool { unsafe path.withKernelText { unsafe access($0, W_OK) } == 0 }
