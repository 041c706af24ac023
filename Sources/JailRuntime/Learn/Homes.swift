import Kernel
package import SpecFile

extension Caller {
    /// The homes of people on this host, of root and of the caller: those of passwd(5), and what HOME says. Each by the name that is
    /// written, and by that to which links lead.
    package static func homes(named home: String?) throws(Diagnostic) -> [String] {
        let own = effectiveUser()
        var found: Set<String> = []
        do throws(KernelError) {
            let text = String(decoding: try Accounts.read("etc/passwd", below: "/"), as: UTF8.self)
            for line in text.split(separator: "\n") {
                let fields = line.split(separator: ":", omittingEmptySubsequences: false)
                guard fields.count >= 7, let user = UInt32(fields[2]) else { continue }
                let place = String(fields[5])
                if user == own { found.formUnion(names(of: place)) }
                // A daemon's is a place of a program, as /usr/sbin is.
                if user == 0 || user >= firstPerson { found.formUnion(namesWithoutAsking(of: place)) }
            }
        } catch {
            throw Diagnostic("cannot find out whose homes no line may show: \(error)", at: nil)
        }
        if let home { found.formUnion(names(of: home)) }
        return found.filter { $0.hasPrefix("/") && $0 != "/" }.sorted()
    }

    /// UID_MIN of login.defs(5) as distributions have it.
    private static let firstPerson: UInt32 = 1000

    private static func names(of place: String) -> [String] { [place, resolved(place)].compactMap { $0 } }

    /// The home itself is not touched: somebody else's may be on a server that does not answer.
    private static func namesWithoutAsking(of place: String) -> [String] {
        guard place.hasPrefix("/"), place != "/" else { return [] }
        let name = place.split(separator: "/").last ?? ""
        guard let above = resolved(parent(of: place)) else { return [place] }
        return [place, (above == "/" ? "" : above) + "/" + name]
    }

    /// Where a directory is without links; nil for one that is not there, or not for the caller.
    private static func resolved(_ directory: String) -> String? {
        guard directory.hasPrefix("/") else { return nil }
        do throws(KernelError) {
            let opened = try open(directory, .path | .directory)
            return try readLink("/proc/self/fd/\(opened.number)")
        } catch {
            return nil
        }
    }
}
