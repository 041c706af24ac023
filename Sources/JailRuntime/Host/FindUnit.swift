import Kernel

extension Caller {
    /// The files of a unit in the order in which systemd reads them, systemd.unit(5): the unit itself and its drop-ins but `own`; none where
    /// there is no such unit.
    package static func files(ofUnit name: String, forUsers: Bool, besides own: String) -> [String] {
        let kind = forUsers ? "user" : "system"
        let home = variable("HOME").map { [$0 + "/.config/systemd/user"] } ?? []
        let places =
            (forUsers ? home : [])
            + ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd"].map {
                "\($0)/\(kind)"
            }
        guard let file = places.map({ "\($0)/\(name)" }).first(where: exists) else { return [] }
        // Of drop-ins with the same name the first place's counts; they are read by their names.
        var dropIns: [String: String] = [:]
        for place in places.reversed() {
            for entry in names(in: "\(place)/\(name).d") where entry.hasSuffix(".conf") && entry != own {
                dropIns[entry] = "\(place)/\(name).d/\(entry)"
            }
        }
        return [file] + dropIns.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func names(in directory: String) -> [String] {
        do throws(KernelError) {
            let place = try open(directory, .read | .directory)
            return try entries(of: place.number)
        } catch {
            return []
        }
    }
}
