import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// Overlays before Linux 6.13, which takes a layer by its name, and only from a mount of the caller's own, current mount namespace
/// (fs/namespace.c, clone_private_mount): one that is attached to nothing is EINVAL.
extension Applier {
    func mountAttached(
        _ layers: OverlayLayers, _ source: OverlaySource, _ attributes: MountAttributes, of plan: Plan
    ) throws(Failure) -> Int32 {
        let isInside = plan.creation.map { step > $0 } == true
        return isInside
            ? try mountHere(layers, source, attributes)
            : try mountElsewhere(layers, source, attributes)
    }

    /// In the mount namespace of the jail, where the layers have been opened.
    private func mountHere(
        _ layers: OverlayLayers, _ source: OverlaySource, _ attributes: MountAttributes
    ) throws(Failure) -> Int32 {
        let loose = layers.loose
        try failing { () throws(KernelError) in for mount in loose { try attachOverRoot(mount) } }
        let overlay = try mountByName(layers, source, attributes)
        // The overlay has clones of its own.
        try failing { () throws(KernelError) in for mount in loose.reversed() { try detach(mount) } }
        return overlay
    }

    /// In a child with a mount namespace of its own: on the host nothing is attached, and what has been opened there is not of
    /// that namespace. The child opens it once more, and sees that it is the same.
    private func mountElsewhere(
        _ layers: OverlayLayers, _ source: OverlaySource, _ attributes: MountAttributes
    ) throws(Failure) -> Int32 {
        let (ours, theirs) = try failing(makeChannel)
        let launcher = currentProcess()
        let side = try failing { () throws(KernelError) in try fork(into: .mount) }
        guard case .parent(let child) = side else {
            closeDescriptor(ours)
            answer(over: theirs) { () throws(Failure) in
                // A layer may be on a server that does not answer: whoever gives the launch up gives up this process too.
                try failing { () throws(KernelError) in try setParentDeathSignal(Signal.kill) }
                guard parentProcess() == launcher else { throw Failure(.launcherGone) }
                try failing(isolateMounts)
                var layers = layers
                try failing { () throws(KernelError) in for mount in layers.loose { try attachOverRoot(mount) } }
                try reopen(&layers)
                return try mountByName(layers, source, attributes)
            }
        }
        closeDescriptor(theirs)
        defer { closeDescriptor(ours) }
        let found = try failing { () throws(KernelError) in
            let found = try receive(from: ours, limit: Message.limit)
            var use = ResourceUse()
            _ = try wait(for: child, blocking: true, use: &use)
            return found
        }
        switch (found.flatMap { Message($0.bytes) }, found?.descriptor) {
        case (.done?, let overlay?): return overlay
        case (.failed(let failure)?, _): throw failure
        default: throw Failure(.outsideGone)
        }
    }

    private func answer(over channel: Int32, _ make: () throws(Failure) -> Int32) -> Never {
        do throws(KernelError) {
            do throws(Failure) {
                let overlay = try make()
                try failing { () throws(KernelError) in
                    try send(Message.done(step: step).bytes, over: channel, passing: overlay)
                }
            } catch {
                try send(Message.failed(error).bytes, over: channel)
            }
        } catch {
            exitNow(125)
        }
        exitNow(0)
    }

    /// What is on the host's mounts, on those of this namespace.
    private func reopen(_ layers: inout OverlayLayers) throws(Failure) {
        func again(_ number: Int32) throws(Failure) -> Int32 {
            try failing { () throws(KernelError) in
                let name = try linkTarget(EntryName(Array("/proc/self/fd/\(number)".utf8)), at: currentDirectory)
                let opened = try openEntry(EntryName(name), at: currentDirectory, .path | .directory | .noFollow)
                guard try status(of: opened.number).isSame(as: try status(of: number)) else {
                    throw KernelError(.openat, Errno.stale, path: String(decoding: name, as: UTF8.self))
                }
                return opened.release()
            }
        }
        if layers.mapped.isEmpty {
            for index in layers.lower.indices { layers.lower[index] = try again(layers.lower[index]) }
        }
        guard layers.upperIsOnHost else { return }
        layers.upper = try again(layers.upper)
        layers.work = try again(layers.work)
    }

    /// A value is cut at 255 bytes, and parted at commas and colons: the names are numbers, in the directory of descriptors. A key
    /// for each layer is new in Linux 6.8; before, it is refused as late as the mount is made, in the kernel's log too, and more
    /// layers than a value has room for are a matter for mount(2).
    private func mountByName(
        _ layers: OverlayLayers, _ source: OverlaySource, _ attributes: MountAttributes
    ) throws(Failure) -> Int32 {
        let proc = try proc()
        let names = layers.below.map { "\($0)" }
        let list = names.joined(separator: ":")
        let isLong = list.utf8.count > 255
        let options = "lowerdir=\(list),upperdir=\(layers.upper),workdir=\(layers.work)"
        var isPlain = false
        if isLong, let kernel = KernelVersion(release: kernelRelease()), (kernel.major, kernel.minor) < (6, 8) {
            // What else is said has room beside that.
            guard options.utf8.count < longestMountOptions - 100 else {
                throw Failure(
                    telling: "\(source.lower.count) directories in lower are more than Linux \(kernelRelease()) takes: "
                        + "their numbers must fit in \(longestMountOptions) bytes", hint: nil)
            }
            isPlain = true
        }
        do throws(KernelError) {
            let directory = try open("self/fd", at: proc.descriptor, .path | .directory)
            try changeDirectory(to: directory.number)
            if isPlain { return try mountByOptions(options, source, attributes) }
            let context = try FileSystemContext("overlay")
            if isLong {
                for name in names { try context.set("lowerdir+", name) }
            } else {
                try context.set("lowerdir", list)
            }
            try context.set("upperdir", "\(layers.upper)")
            try context.set("workdir", "\(layers.work)")
            let overlay = try finish(context, source, attributes)
            try changeDirectory(to: "/")
            return overlay.release()
        } catch {
            throw try diagnosis(error, layers, source)
        }
    }

    /// By a text of up to a page, in the directory of descriptors: on a tmpfs that is there for as long as that takes.
    private func mountByOptions(
        _ layers: String, _ source: OverlaySource, _ attributes: MountAttributes
    ) throws(KernelError) -> Int32 {
        let own = Self.overlayOptions.map { "\($0.key)=\($0.value)" } + (source.usesUserAttributes ? ["userxattr"] : [])
        let options = ([layers] + own).joined(separator: ",")
        let stand = try Kernel.makeFileSystem(
            "tmpfs", [FileSystemOption("mode", "0700"), FileSystemOption("size", "1M")], .closed)
        try attachOverRoot(stand.number)
        try makeDirectory("overlay", at: stand.number, permissions: 0o700)
        try mountPlainly("overlay", on: "\(stand.number)/overlay", options: options)
        let made = try open("\(stand.number)/overlay", .path | .directory)
        let overlay = try cloneTree("", at: made.number, recursive: false)
        try setAttributes(of: overlay.number, attributes, recursive: false)
        try detach(stand.number)
        return overlay.release()
    }
}
