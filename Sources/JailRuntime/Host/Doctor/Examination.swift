import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// Collects the findings, section by section in the order of the contract.
struct Examination {
    var findings: [Finding] = []
    let evidence = Evidence.host
    /// What the kernel says to a user namespace and nothing else: all that is tried in one fails for the same cause.
    let refusalOfUsers = Trial.attempt(in: .user)

    mutating func examine() {
        kernel()
        filesystem()
        mountTypes()
        storage()
        namespaces()
        identity()
        process()
        limits()
        policies()
        network()
    }

    mutating func add(
        _ section: String, _ name: String, _ state: Finding.State, _ detail: String, remedy: String? = nil
    ) {
        findings.append(Finding(section: section, name: name, state: state, detail: detail, remedy: remedy))
    }

    /// Adds what a trial showed.
    mutating func add(
        _ section: String, _ name: String, _ refused: Errno?, orElse state: Finding.State, works: String,
        remedy: (Explanation) -> String?
    ) {
        guard let refused else { return add(section, name, .ok, works) }
        if refused == refusalOfUsers, name != "user" {
            return add(section, name, state, "needs a user namespace, which is refused")
        }
        let explanation = Explanation(Failure(KernelError(.clone3, refused)), of: Plan(), evidence: evidence)
        add(section, name, state, "refused: \(refused.name) \(refused.words)", remedy: remedy(explanation))
    }

    private mutating func kernel() {
        let missing = KernelFeature.allCases.filter { !$0.isPresent }
        // openat2 and close_range have a way round; the rest is what a launch is made of.
        let isFatal = missing.contains { $0 != .openat2 && $0 != .close_range && $0 != .pidfd_open }
        let detail =
            missing.isEmpty
            ? "Linux \(kernelRelease()) has every call that a launch makes"
            : "missing: " + missing.map { "\($0.rawValue) (Linux \($0.since))" }.joined(separator: ", ")
        let filtered = evidence.status("Seccomp") == "2"
        let remedy =
            filtered
            ? "a seccomp filter hides them: in a container, start it with \(Remedy.unfilteredContainer)"
            : Remedy.kernel(Remedy.mountingKernel, running: kernelRelease())
        add(
            "kernel", "calls", missing.isEmpty ? .ok : isFatal ? .broken : .absent, detail,
            remedy: missing.isEmpty ? nil : remedy)
        if filtered {
            add(
                "kernel", "filter", .absent, "immure itself runs under a seccomp filter, which may refuse more",
                remedy: "where something is refused: \(Remedy.unfilteredContainer) for the container")
        }
    }

    private mutating func filesystem() {
        let closed: MountAttributes = .closed | .noExecute
        func mounting(_ type: String, _ namespaces: NamespaceFlags) -> Errno? {
            Trial.attempt(in: namespaces) { () throws(KernelError) in _ = try makeFileSystem(type, [], closed) }
        }
        add(
            "filesystem", "mounts", Trial.attempt(in: [.user, .mount], isolateMounts), orElse: .broken,
            works: "a private mount namespace can be made and arranged", remedy: { $0.namespaceHint([.user, .mount]) })
        add(
            "filesystem", "proc", mounting("proc", [.user, .mount, .pid]), orElse: .broken,
            works: "a new /proc can be mounted in a user namespace", remedy: { $0.fileSystemHint("proc") })
        add(
            "filesystem", "sysfs", mounting("sysfs", [.user, .mount, .net]), orElse: .absent,
            works: "a new /sys can be mounted in a user namespace", remedy: { $0.fileSystemHint("sysfs") })
        add(
            "filesystem", "dev", mounting("devpts", [.user, .mount]), orElse: .broken,
            works: "a devpts instance of the jail's own", remedy: { $0.fileSystemHint("devpts") })
        let missing = DeviceNode.allCases.filter { !evidence.exists($0.path) }
        if !missing.isEmpty {
            add(
                "filesystem", "devices", .broken, "missing in /dev: " + missing.map(\.name).joined(separator: " "),
                remedy: Remedy.make(missing))
        }
    }

    private mutating func mountTypes() {
        // Below these nothing is mounted, which overlayfs(5) would not look past for an ordinary user.
        let options = [FileSystemOption("lowerdir", "/usr/bin:/usr/sbin")]
        add(
            "mount", "overlay",
            Trial.attempt(in: [.user, .mount]) { () throws(KernelError) in
                _ = try makeFileSystem("overlay", options, .closed)
            }, orElse: .absent, works: "overlayfs can be mounted in a user namespace",
            remedy: {
                switch $0.failure.errno {
                case .noDevice: Remedy.load("overlay")
                case .notPermitted: "Linux 5.11 or later, or \(Remedy.launchAsRoot)"
                default: nil
                }
            })
        let known = (evidence.text("/proc/filesystems") ?? "").split(separator: "\n").compactMap {
            $0.split(separator: "\t").last.map(String.init)
        }
        let images = ["squashfs", "erofs", "ext4"].filter { known.contains($0) }
        let loops = evidence.exists("/dev/loop-control")
        add(
            "mount", "image", images.isEmpty || !loops ? .absent : .ok,
            (images.isEmpty
                ? "no file system for images is loaded"
                : "the kernel reads " + images.joined(separator: ", ")
                    + (callerIdentity().euid == 0 ? "" : ", for root only"))
                + (loops ? "" : "; no /dev/loop-control"),
            remedy: images.isEmpty || !loops ? Remedy.load("loop squashfs erofs") : nil)
        let opens = Host.opensFuse()
        for format in [ImageFormat.squashfs, .ext4] {
            guard let server = format.server else { continue }
            let isInstalled = HostProgram.isInstalled(server)
            add(
                "mount", server, isInstalled && opens ? .ok : .absent,
                isInstalled
                    ? (opens ? "reads \(format.rawValue) images for an ordinary user" : "/dev/fuse cannot be opened")
                    : "not installed, and an ordinary user has no images that are \(format.rawValue)",
                remedy: isInstalled ? (opens ? nil : Remedy.openFuse) : Remedy.install(server))
        }
        let missing = ["skopeo", "umoci"].filter { !HostProgram.isInstalled($0) }
        add(
            "mount", "oci", missing.isEmpty ? .ok : .absent,
            missing.isEmpty
                ? "skopeo and umoci unpack images of container engines"
                : "\(missing.joined(separator: ", ")) not installed, and no image of a container engine can be unpacked",
            remedy: missing.isEmpty ? nil : Remedy.install(missing.joined(separator: " ")))
        let servesOverlays = HostProgram.isInstalled(OverlaySource.server)
        add(
            "mount", OverlaySource.server, servesOverlays && opens ? .ok : .absent,
            servesOverlays
                ? (opens ? "makes overlays of foreign files for an ordinary user" : "/dev/fuse cannot be opened")
                : "not installed, and an ordinary user has no overlay of foreign files",
            remedy: servesOverlays ? (opens ? nil : Remedy.openFuse) : Remedy.installFuseOverlayfs)
        add(
            "mount", "mqueue", known.contains("mqueue") ? .ok : .absent,
            known.contains("mqueue") ? "POSIX message queues" : "the kernel has no POSIX message queues")
    }
}
