/// What the launcher itself takes of what getrlimit(2) limits, as far as nothing can be said where it is missing: the kernel ends a
/// program that does not fit in execve(2), with SIGSEGV.
package enum LauncherRoom {
    package static let bounds: [(directive: String, resource: Resource, bytes: UInt64)] = [
        ("LimitAS", .as, 40 << 20), ("LimitDATA", .data, 16 << 20), ("LimitSTACK", .stack, 1 << 20),
    ]
}
