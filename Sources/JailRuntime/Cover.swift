import Kernel

extension Tree {
    /// Covers a directory with an empty tmpfs and anything else with the null device on a nodev mount, which cannot even
    /// be opened. Returns whether there was anything to cover.
    mutating func cover(_ target: String) throws(Failure) -> Bool {
        guard let place = try existing(target) else { return false }
        known.cover(target)
        let isDirectory = try failing { () throws(KernelError) in try status(of: place.number).isDirectory }
        let shut: MountAttributes = [.readOnly, .noSetuid, .noDevices, .noExecute]
        if isDirectory {
            try failing { () throws(KernelError) in
                let empty = try makeFileSystem(
                    "tmpfs", [FileSystemOption("mode", "0000"), FileSystemOption("nr_inodes", "1")], shut)
                try Kernel.attach(empty.number, on: place.number)
            }
        } else {
            let null = try cloneDevice("/dev/null", 1, 3)
            try failing { () throws(KernelError) in
                try setAttributes(of: null.number, shut, recursive: false)
                try Kernel.attach(null.number, on: place.number)
            }
        }
        return true
    }

    /// Makes what is at the target read-only in its place, where it is.
    mutating func protect(_ target: String) throws(Failure) {
        guard let place = try existing(target) else { return }
        known.cover(target)
        try failing { () throws(KernelError) in
            let clone = try cloneTree("", at: place.number, recursive: true)
            try setAttributes(of: clone.number, [.readOnly, .noSetuid, .noDevices, .noExecute], recursive: true)
            try Kernel.attach(clone.number, on: place.number)
        }
    }

    private func existing(_ target: String) throws(Failure) -> Descriptor? {
        do throws(KernelError) {
            return try openInside(root, target)
        } catch {
            guard error.errno == .noEntry else { throw Failure(error) }
            return nil
        }
    }
}
