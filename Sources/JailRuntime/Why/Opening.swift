import JailSpec
import LinuxFacts
import SpecFile

/// The narrowest line that opens a path. None shows a directory directly below `/`, which holds what belongs to many.
enum Opening {
    private static func isTop(_ path: String) -> Bool { path == "/" || parent(of: path) == "/" }

    /// A list of `section`, as `filesystem.ro = ["/srv/x"]`; in the long form where a character means something in the short one.
    static func list(_ key: String, _ source: String, at target: String) -> String? {
        if CarriedByte.isIn(source) || CarriedByte.isIn(target) { return nil }
        let special: Set<Unicode.Scalar> = [":", "*", "?", "[", "\\"]
        if key.hasPrefix("filesystem."), (source + target).unicodeScalars.contains(where: special.contains) {
            let options = key == "filesystem.rw" ? "" : ", options = [\"\(key == "filesystem.ro" ? "ro" : "dev")\"]"
            return mount(target, "source = \(TOML.path(source))\(options)")
        }
        return "\(key) = [\(TOML.path(source == target ? source : source + ":" + target))]"
    }

    private static func mount(_ target: String, _ rest: String) -> String {
        "mount = [{ target = \(TOML.path(target)), \(rest) }]"
    }

    /// To read, execute, enter or connect to what is there on the host.
    static func toSee(_ path: String, isDirectory: Bool, isDevice: Bool, lists: Bool) -> String? {
        if isDevice { return list("filesystem.devices", path, at: path) }
        guard isDirectory, isTop(path) else { return list("filesystem.ro", path, at: path) }
        // The jail's own, of the network that it has.
        if path == "/sys" { return mount(path, "type = \"sysfs\"") }
        // One of the jail's own, to stand in.
        return lists || path == "/" || CarriedByte.isIn(path) ? nil : mount(path, "type = \"dir\"")
    }

    /// Whether such a line shows nothing of the host's.
    static func isEmpty(_ line: String) -> Bool { line.hasSuffix("type = \"dir\" }]") }

    /// To write to a file that is there, or change its attributes.
    static func toWrite(_ path: String, isDirectory: Bool, _ place: JailScene.Place?) -> String? {
        let source = source(of: path, place)
        return isDirectory && isTop(source) ? nil : list("filesystem.rw", source, at: path)
    }

    /// To make a name; the directory is shown where it is one of its own, else the one name is made for the jail.
    static func toMake(_ path: String, isDirectory: Bool?, in directory: String, _ place: JailScene.Place?) -> String? {
        let source = source(of: directory, place)
        guard isTop(source) else { return list("filesystem.rw", source, at: directory) }
        guard let isDirectory, !isTop(path), !CarriedByte.isIn(path) else { return nil }
        return mount(path, "source = \(TOML.path(path)), create = \(isDirectory ? "true" : "\"file\"")")
    }

    /// To make names in a directory of the jail's own, where nothing may change the host's.
    static func toHave(_ directory: String) -> String? {
        directory == "/" || CarriedByte.isIn(directory) ? nil : mount(directory, "type = \"tmpfs\"")
    }

    /// Whether such a line has the launcher make what is missing.
    static func makes(_ line: String) -> Bool {
        line.hasSuffix("create = true }]") || line.hasSuffix("create = \"file\" }]")
    }

    /// To have what is another user's as if it were the command's.
    static func toOwn(_ path: String, from source: String, isDirectory: Bool, writes: Bool) -> String? {
        if isDirectory && isTop(source) || CarriedByte.isIn(source) || CarriedByte.isIn(path) { return nil }
        let options = writes ? "" : "options = [\"ro\"], "
        return mount(path, "source = \(TOML.path(source)), \(options)idmap = true")
    }

    /// Whether such a line is one.
    static func maps(_ line: String) -> Bool { line.hasSuffix("idmap = true }]") }

    /// To remove or replace a name.
    static func toRemove(in directory: String, _ place: JailScene.Place?) -> String? {
        let source = source(of: directory, place)
        return isTop(source) ? nil : list("filesystem.rw", source, at: directory)
    }

    /// Where what stands at a path of the jail is on the host.
    static func source(of path: String, _ place: JailScene.Place?) -> String {
        guard let place, place.source != place.target else { return path }
        return place.source + Substring(path.utf8.dropFirst(place.target.utf8.count))
    }

    static func landlock(_ key: String, _ path: String, isDirectory: Bool) -> String? {
        isDirectory && isTop(path) || CarriedByte.isIn(path) ? nil : "landlock.\(key) = [\(TOML.path(path))]"
    }
}
