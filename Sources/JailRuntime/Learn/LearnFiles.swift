import Kernel
package import SpecFile

extension Caller {
    /// Every variable of the environment, in its order.
    package static var environment: [(name: String, value: String)] {
        callerEnvironment().compactMap { pair in
            guard let equals = pair.firstIndex(of: "=") else { return nil }
            return (String(pair[..<equals]), String(pair[pair.index(after: equals)...]))
        }
    }

    /// Gives a file a new content, whole or not at all.
    package static func replaceFile(_ path: String, with text: String) throws(Diagnostic) {
        let temporary = "\(path).\(currentProcess())~"
        do throws(KernelError) {
            let file = try open(temporary, .write | .create | .exclusive | .noFollow, permissions: 0o644)
            try writeAll(file.number, Array(text.utf8), path: temporary)
            try rename(temporary, to: path, at: currentDirectory)
        } catch {
            throw Diagnostic(
                "cannot write \(quoted(path)): \(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)
        }
    }

    /// Gives standard input to another run from its beginning: false where what was read is gone.
    package static func repeatInput() -> Bool {
        do throws(KernelError) {
            let kind = try status(of: 0)
            if kind.isRegular { try rewind(0) }
            return kind.isRegular || kind.isCharacterDevice
        } catch {
            return error.errno.name == "EBADF"
        }
    }

    /// The top of the git tree that a directory is in.
    package static func gitTree(above directory: String) -> String? {
        var place = directory
        while place != "/", !place.isEmpty {
            if exists(place + "/.git") { return place }
            place = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
        }
        return nil
    }
}

extension Caller {
    /// A line on the terminal of standard error that the next one takes the place of.
    package static func show(progress line: String) {
        do throws(KernelError) {
            try writeAll(2, Array("\r\u{1b}[K\(line)".utf8))
        } catch {
            return  // the terminal has gone
        }
    }
}
