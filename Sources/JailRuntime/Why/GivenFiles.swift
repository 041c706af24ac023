import JailLearn
import Kernel
import LinuxFacts

/// Paths that open anew what a descriptor leads to: a file outside of the tree no further than it was given.
extension PathLooks {
    /// The descriptor that a path stands for; nil for any other path.
    func descriptor(behind path: String) -> Int32? {
        let plain = plain(path)
        for (link, number) in [(DeviceLink.stdin, Int32(0)), (.stdout, 1), (.stderr, 2)] where plain == link.path {
            return leads(link) ? number : nil
        }
        let all = DeviceLink.fd
        for (directory, isThere) in [("/proc/self/fd/", true), (all.path + "/", leads(all))]
        where isThere && plain.hasPrefix(directory) {
            return Int32(plain.dropFirst(directory.count))
        }
        return nil
    }

    /// Whether the jail's /dev has it as it is everywhere.
    private func leads(_ link: DeviceLink) -> Bool { thread.link(link.rawValue, in: "/dev") == link.content }

    /// What keeps the thread from opening that anew.
    func given(_ number: Int32, _ path: String, _ need: Need) -> Denial? {
        let (reads, writes) =
            switch need {
            case .read: (true, false)
            case .write: (false, true)
            case .update: (true, true)
            case .openOrMake(let flags): (flags.updates || !flags.writes, flags.writes)
            case .execute, .enter, .look, .connect, .changeAttributes, .make, .remove: (false, false)
            }
        guard reads || writes, let file = thread.given(number) else { return nil }
        // What several descriptors lead to was given with all that each may do.
        let all = [file] + [Int32(0), 1, 2].compactMap(thread.given).filter { $0.status.isSame(as: file.status) }
        let canWrite = all.contains { $0.mode.writes && !$0.mode.appends }
        if reads, !all.contains(where: { $0.mode.reads }), scene.keeps(.readFile, asGiven: file.path) {
            return Denial(.landlock, path, remark: "as the file behind it was not given for reading")
        }
        guard writes, !canWrite, scene.keeps(.writeFile, asGiven: file.path) else { return nil }
        guard file.mode.writes else {
            return Denial(.landlock, path, remark: "as the file behind it was given for reading only")
        }
        let isOpen = thread.may(reads ? 6 : 2, file.status)
        return Denial(
            .landlock, path, remark: "as a file that was given for appending is not opened anew for writing",
            advice: (isOpen ? "give it by > in place of >>, or " : "") + "give a pipe instead: | cat >>FILE")
    }
}

extension ThreadState {
    /// A regular file that a descriptor leads to, and what that may do with it.
    struct Given {
        /// On the host.
        let path: String
        let status: FileStatus
        let mode: AccessMode
    }

    /// Where a link leads that stands in a directory of the jail; nil for what is none.
    func link(_ name: String, in directory: String) -> String? {
        do throws(KernelError) {
            let root = try open("\(number)/root", at: proc.descriptor, .path | .directory)
            let place = try openInside(root.number, directory)
            return try readLink(name, at: place.number)
        } catch {
            return nil
        }
    }

    /// What a descriptor leads to where that is a file outside of the jail's tree: on a mount that the jail has not.
    func given(_ descriptor: Int32) -> Given? {
        do throws(KernelError) {
            let file = try open("\(number)/fd/\(descriptor)", at: proc.descriptor, .path)
            let status = try Kernel.status(of: file.number)
            guard status.isRegular else { return nil }
            var (flags, mount): (Int32, Substring) = (0, "")
            for line in try text("fdinfo/\(descriptor)").split(separator: "\n") {
                let words = line.split { $0 == "\t" || $0 == " " }
                guard words.count == 2 else { continue }
                if words[0] == "flags:" { flags = Int32(words[1], radix: 8) ?? 0 }
                if words[0] == "mnt_id:" { mount = words[1] }
            }
            let isInTree = try text("mountinfo").split(separator: "\n").contains {
                $0.split(separator: " ").first == mount
            }
            let path = try readLink("\(number)/fd/\(descriptor)", at: proc.descriptor)
            // Landlock leaves alone what is in no file system that can be mounted, memfd_create(2).
            if isInTree || path.hasPrefix("/memfd:") { return nil }
            return Given(path: path, status: status, mode: AccessMode(flags: flags))
        } catch {
            return nil
        }
    }
}
