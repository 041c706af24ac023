import JailPlan
import JailSpec
import Kernel
import SpecFile

/// Symbolic links of the host's /etc and /usr that lead to what a "system" root does not show.
extension Host {
    /// What programs open for a network, and the time that they are in, below /etc.
    private static let needed = [
        "resolv.conf", "hosts", "host.conf", "nsswitch.conf", "gai.conf", "services", "localtime", "ssl/certs",
        "ssl/cert.pem", "ssl/openssl.cnf", "pki/tls/certs/ca-bundle.crt", "ca-certificates/extracted/tls-ca-bundle.pem",
    ]

    mutating func findNeededLinks() {
        for name in Self.needed {
            let path = "/etc/" + name
            guard let place = firstOutside(path), isThere(place) else { continue }
            neededLinks.append(SystemLink(path, leadingTo: place))
        }
    }

    /// Looks at every link of /etc and of the directories of programs.
    package mutating func findDanglingLinks() {
        for directory in ["/etc", "/usr/bin", "/usr/sbin", "/usr/local", "/usr/lib/jvm"] {
            look(through: directory, depth: 6)
        }
        danglingLinks.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private mutating func look(through directory: String, depth: Int) {
        do throws(KernelError) {
            let opened = try open(directory, .path | .directory | .noFollow)
            for name in try entries(of: opened.number) {
                let entry = try open(name, at: opened.number, .path | .noFollow)
                let found = try status(of: entry.number)
                let path = directory + "/" + name
                if found.isDirectory, depth > 0 { look(through: path, depth: depth - 1) }
                guard found.isSymlink, let place = firstOutside(path), isThere(place) else { continue }
                danglingLinks.append(SystemLink(path, leadingTo: place))
            }
        } catch {
            return  // not for the caller's eyes, or gone
        }
    }

    private func isThere(_ path: String) -> Bool {
        do throws(KernelError) {
            _ = try status(ofPath: path)
            return true
        } catch {
            return false
        }
    }

    /// The first place on the way of a path, with the rest of it, that is in none of the root's entries; nil where all of the
    /// way is, or leads nowhere.
    private func firstOutside(_ path: String) -> String? {
        var pending = Array(components(path).reversed())
        var walked: [String] = []
        var links = 0
        while let name = pending.popLast() {
            if name == ".." {
                _ = walked.popLast()
                continue
            }
            if walked.isEmpty, !rootEntries.contains(where: { $0.name == name }) {
                return cleanedUpwards([name] + pending.reversed())
            }
            let here = "/" + (walked + [name]).joined(separator: "/")
            guard let target = linkText(here) else {
                walked.append(name)
                continue
            }
            links += 1
            guard links <= 40 else { return nil }
            if target.utf8.first == UInt8(ascii: "/") { walked = [] }
            pending += components(target).reversed()
        }
        return nil
    }

    private func linkText(_ path: String) -> String? {
        do throws(KernelError) {
            return try readLink(path)
        } catch {
            return nil
        }
    }

    private func cleanedUpwards(_ names: [String]) -> String? {
        var result: [String] = []
        for name in names {
            if name == ".." { if result.popLast() == nil { return nil } } else { result.append(name) }
        }
        return result.isEmpty ? nil : "/" + result.joined(separator: "/")
    }
}
