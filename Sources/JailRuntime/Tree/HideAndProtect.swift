import Kernel
import LinuxFacts

extension Tree {
    /// Covers a directory with an empty tmpfs and anything else with the null device on a nodev mount, which cannot even
    /// be opened. Returns whether there was anything to cover.
    mutating func cover(_ target: String, for step: Int) throws(Failure) -> Bool {
        guard let place = try isGuarded(target) ? guardedPlace(target) : existing(target) else { return false }
        try requireSameForAll(target, place.number)
        known.cover(target)
        let isDirectory = try failing { () throws(KernelError) in try status(of: place.number).isDirectory }
        if isDirectory {
            try failing { () throws(KernelError) in
                let empty = try makeFileSystem(
                    "tmpfs", [FileSystemOption("mode", "0000"), FileSystemOption("nr_inodes", "1")],
                    MountAttributes.shut)
                try Kernel.attach(empty.number, on: place.number)
                covers.append(Cover(empty.release(), on: target, .shut, for: step))
            }
            try requireMode(0, of: covers.last?.mount ?? -1)
        } else {
            let (major, minor) = DeviceNode.null.numbers
            let null = try cloneDevice(DeviceNode.null.path, major, minor)
            try failing { () throws(KernelError) in
                try setAttributes(of: null.number, .shut, recursive: false)
                try Kernel.attach(null.number, on: place.number)
            }
            covers.append(Cover(null.release(), on: target, .shut, for: step))
        }
        return true
    }

    /// Makes what is at the target read-only in its place, where it is.
    mutating func protect(_ target: String, for step: Int) throws(Failure) {
        guard let place = try existing(target) else { return }
        known.cover(target)
        try failing { () throws(KernelError) in
            let clone = try cloneTree("", at: place.number, recursive: true)
            try setAttributes(of: clone.number, .shut, recursive: true)
            try Kernel.attach(clone.number, on: place.number)
            covers.append(Cover(clone.release(), on: target, .shut, for: step))
        }
    }

    /// Refuses a target that is another file for each process: what is put there would be there for only one.
    func requireSameForAll(_ target: String, _ place: Int32) throws(Failure) {
        let magic = try failing { () throws(KernelError) in try fileSystemMagic(of: place) }
        guard magic == FileSystemMagic.proc else { return }
        let isOfOne = try failing { () throws(KernelError) in try isOfOneProcess(root, target) }
        if isOfOne { throw Failure(.ofOneProcess, text: target) }
    }

    private func existing(_ target: String) throws(Failure) -> Descriptor? {
        do throws(KernelError) {
            return try openInside(root, target)
        } catch {
            guard error.errno == .noEntry else { throw Failure(error) }
            return nil
        }
    }

    /// Whether a tmpfs has the mode that it was made with.
    func requireMode(_ mode: UInt32, of mount: Int32) throws(Failure) {
        guard isVerified else { return }
        let found = try failing { () throws(KernelError) in try status(of: mount).permissions }
        guard found != mode else { return }
        let (a, b) = (String(mode, radix: 8), String(found, radix: 8))
        throw Failure(.notInForce, text: "mode of the tmpfs: promised 0\(a), the kernel says 0\(b)")
    }
}
