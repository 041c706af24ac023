import Kernel
package import SpecFile

extension Caller {
    /// The homes of people on this host, of root and of the caller: those of passwd(5), and what HOME says. Each by the name that is
    /// written, and by that to which links lead.
    package static func homes(named home: String?) throws(Diagnostic) -> [String] {
        let own = effectiveUser()
        var found: Set<String> = []
        do throws(KernelError) {
            for (user, place) in Accounts.homes(try Accounts.read("etc/passwd", below: "/")) {
                if user == own { found.formUnion(spellings(of: place)) }
                // A daemon's is a place of a program, as /usr/sbin is.
                if user == 0 || user >= firstPerson { found.formUnion(namesWithoutAsking(of: place)) }
            }
        } catch {
            throw Diagnostic("cannot find out whose homes no line may show: \(error)", at: nil)
        }
        if let home { found.formUnion(spellings(of: home)) }
        return found.filter { $0 != "/" }.sorted()
    }

    /// Where HOME leads from a directory, as `~/x` is meant: by the name that it has, and by that to which links lead. It may be empty, or
    /// not absolute.
    package static func places(ofHome value: String, from directory: String) -> [String] {
        let isAbsolute = value.utf8.first == UInt8(ascii: "/")
        return spellings(of: isAbsolute ? value : value.isEmpty ? "/" : directory + "/" + value)
    }

    /// UID_MIN of login.defs(5) as distributions have it.
    private static let firstPerson: UInt32 = 1000

    private static func spellings(of place: String) -> [String] {
        guard place.utf8.first == UInt8(ascii: "/") else { return [] }
        return [cleaned(place), resolved(place)].compactMap { $0 }
    }

    /// The home itself is not touched: somebody else's may be on a server that does not answer.
    private static func namesWithoutAsking(of place: String) -> [String] {
        guard place.utf8.first == UInt8(ascii: "/"), let name = names(of: place).last else { return [] }
        let place = cleaned(place)
        guard let above = resolved(parent(of: place)) else { return [place] }
        return [place, (above == "/" ? "" : above) + "/" + name]
    }

    /// Where a directory is without links; nil for one that is not there, or not for the caller.
    private static func resolved(_ directory: String) -> String? {
        guard directory.utf8.first == UInt8(ascii: "/") else { return nil }
        do throws(KernelError) {
            let opened = try open(directory, .path | .directory)
            return try readLink("/proc/self/fd/\(opened.number)")
        } catch {
            return nil
        }
    }
}
