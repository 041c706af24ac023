import JailPlan
import Kernel
import SpecFile

/// Why the command cannot be executed.
extension Explanation {
    private var environment: [String] {
        guard case .process(.execute(_, _, let environment))? = step?.operation else { return [] }
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
            return "it is there on the host; \(showHint(name))"
        }
        if name.utf8.contains(UInt8(ascii: "/")) {
            return "the path is taken from cwd, inside the jail: mount the directory that holds it and set cwd"
        }
        let own = environmentVariable("PATH") ?? ""
        for directory in own.split(separator: ":") where directory.utf8.first == UInt8(ascii: "/") {
            guard evidence.exists("\(directory)/\(name)") else { continue }
            let isSearched = searchPath.split(separator: ":").contains(directory)
            if !isSearched, isShown("\(directory)/\(name)") {
                return "it is \(directory)/\(name), in the jail as well; "
                    + "to have it in PATH: environment.path = [\"\(directory)\"]"
            }
            return "it is \(directory)/\(name) on the host; \(showHint("\(directory)/\(name)"))"
                + (isSearched ? "" : "; to have it in PATH: environment.path = [\"\(directory)\"]")
        }
        return nil
    }

    /// For an interpreter or loader: the line that shows it, or the package that has it.
    func missingFileHint(_ path: String) -> String? {
        guard !path.isEmpty else {
            return "a library or loader that the program names is not in the jail; `readelf -l` shows which"
        }
        if path.utf8.last == UInt8(ascii: "\r") {
            return "the lines of the script end in CR LF, and the CR belongs to the name: sed -i 's/\\r$//' SCRIPT"
        }
        guard path.utf8.first == UInt8(ascii: "/") else {
            return "an interpreter is named by its absolute path: #!/usr/bin/env \(path)"
        }
        guard evidence.exists(path) else {
            return Self.package(of: path).map { "it is not on the host either; " + Remedy.install($0) }
                ?? "it is not on the host either"
        }
        return showHint(path)
    }

    /// The package of Debian's that has an interpreter or loader at this very path.
    private static func package(of path: String) -> String? {
        switch path {
        case "/lib64/ld-linux-x86-64.so.2": "libc6"
        case "/lib/ld-linux.so.2": "libc6:i386"
        case "/lib/ld-musl-x86_64.so.1": "musl"
        case "/usr/bin/node": "nodejs"
        case "/usr/bin/lua": "lua5.4"
        case "/usr/bin/php": "php-cli"
        case "/bin/bash", "/usr/bin/bash": "bash"
        case "/bin/zsh", "/usr/bin/zsh": "zsh"
        case "/usr/bin/python3", "/usr/bin/perl", "/usr/bin/ruby", "/usr/bin/fish":
            path.split(separator: "/").last.map(String.init)
        default: nil
        }
    }

    /// The mount of the plan that is nearest above the program.
    var noexecHint: String? {
        var nearest: (target: String, origin: Position?)?
        for step in plan.steps {
            guard case .tree(.attach(_, let target, _)) = step.operation, failure.text.hasPrefix(target) else {
                continue
            }
            if target.utf8.count >= nearest?.target.utf8.count ?? 0 { nearest = (target, step.origin) }
        }
        guard let nearest else { return nil }
        let place = nearest.origin.map { ", written at \($0)" } ?? ""
        return "take noexec from the options of \(nearest.target)\(place); "
            + "where the host mounts the source noexec, that holds as well"
    }

    var executeHint: String? {
        switch failure.errno {
        case .accessDenied: "it is not executable for the jail's user: look at its mode and owner, and at its mount"
        case .badFormat: "it is neither a program for this machine nor a script that begins with #!"
        case .textBusy: "somebody has it open for writing"
        case .loop: "its path leads through too many symbolic links, or its interpreters name each other"
        case .notPermitted: "its file has capabilities that cannot be given here, or a security module refuses it"
        case .tooBig: "arguments and environment are too long for one execve(2)"
        case .noMemory: nil
        default: nil
        }
    }
}
