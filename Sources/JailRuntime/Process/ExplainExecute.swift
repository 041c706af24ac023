import JailPlan
import Kernel
import SpecFile

/// Why the command cannot be executed.
extension Explanation {
    private var environment: [String] {
        guard case .execute(_, _, let environment)? = step?.operation else { return [] }
        return environment
    }

    private var searchPath: String {
        environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? ""
    }

    var commandNotFound: String {
        failure.text.utf8.contains(UInt8(ascii: "/")) ? "no such file in the jail" : "not found in PATH (\(searchPath))"
    }

    var commandNotFoundHint: String? {
        let name = failure.text
        if name.utf8.first == UInt8(ascii: "/") {
            guard evidence.exists(name) else { return nil }
            return "it is there on the host; to show it: ro = [\"\(directory(of: name))\"]"
        }
        if name.utf8.contains(UInt8(ascii: "/")) {
            return "the path is taken from cwd, inside the jail: mount the directory that holds it and set cwd"
        }
        let own = environmentVariable("PATH") ?? ""
        for directory in own.split(separator: ":") where directory.utf8.first == UInt8(ascii: "/") {
            guard evidence.exists("\(directory)/\(name)") else { continue }
            if searchPath.split(separator: ":").contains(directory) {
                return "it is \(directory)/\(name) on the host; to show it: ro = [\"\(directory)/\(name)\"]"
            }
            return "it is \(directory)/\(name) on the host; to show it: ro = [\"\(directory)\"], and have it in "
                + "PATH by [environment] set = { PATH = \"\(directory):…\" }"
        }
        return nil
    }

    /// For an interpreter or loader: the line that shows it, or the package that has it.
    func missingFileHint(_ path: String) -> String? {
        guard !path.isEmpty else {
            return "a library or loader that the program names is not in the jail; `readelf -l` shows which"
        }
        guard path.utf8.first == UInt8(ascii: "/") else {
            return "an interpreter is named by its absolute path: #!/usr/bin/env \(path)"
        }
        guard evidence.exists(path) else {
            return Self.package(of: path).map { "it is not on the host either; " + Remedy.install($0) }
                ?? "it is not on the host either"
        }
        let needed = topDirectories(path)
        return "to show it: ro = [\(needed.map { "\"\($0)\"" }.joined(separator: ", "))], or root = \"system\""
    }

    /// The directories below / that the path leads through, links followed as the host has them.
    private func topDirectories(_ path: String) -> [String] {
        var result: [String] = []
        var current = path
        for _ in 0..<8 {
            let top = "/" + (current.split(separator: "/").first.map(String.init) ?? "")
            if !result.contains(top) { result.append(top) }
            do throws(KernelError) {
                let link = try readLink(current)
                guard link.utf8.first == UInt8(ascii: "/") else { break }
                current = link
            } catch {
                break  // no further link
            }
        }
        // The libraries that a loader looks for are beside it or in /usr/lib.
        if !result.contains("/usr") { result.append("/usr") }
        return result
    }

    private static func package(of path: String) -> String? {
        let known = [
            ("ld-linux-x86-64.so.2", "libc6"), ("ld-linux.so.2", "libc6:i386"), ("ld-musl-", "musl"),
            ("ld-linux-aarch64", "libc6"), ("python3", "python3"), ("perl", "perl"), ("ruby", "ruby"),
            ("node", "nodejs"), ("bash", "bash"), ("zsh", "zsh"), ("fish", "fish"), ("lua", "lua5.4"),
            ("php", "php-cli"),
        ]
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        return known.first { name.hasPrefix($0.0) }?.1
    }

    /// The mount of the plan that is nearest above the program.
    var noexecHint: String? {
        var nearest: (target: String, origin: Position?)?
        for step in plan.steps {
            guard case .attach(_, let target, _) = step.operation, failure.text.hasPrefix(target) else { continue }
            if target.utf8.count >= nearest?.target.utf8.count ?? 0 { nearest = (target, step.origin) }
        }
        guard let nearest else { return nil }
        let place = nearest.origin.map { ", written at \($0)" } ?? ""
        return "take noexec from the options of \(nearest.target)\(place); "
            + "where the host mounts the source noexec, that holds as well"
    }

    private func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else { return path }
        return String(path[..<slash])
    }

    var executeHint: String? {
        switch failure.errno {
        case .accessDenied: "it is not executable for the jail's user: look at its mode and owner, and at its mount"
        case .badFormat: "it is neither a program for this machine nor a script that begins with #!"
        case .textBusy: "somebody has it open for writing"
        case .loop: "its path leads through too many symbolic links, or its interpreters name each other"
        case .notPermitted: "its file has capabilities that cannot be given here, or a security module refuses it"
        case Errno(rawValue: 7): "arguments and environment are too long for one execve(2)"
        case .noMemory: nil
        default: nil
        }
    }
}
