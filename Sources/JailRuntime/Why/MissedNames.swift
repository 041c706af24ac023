import SpecFile

/// Processes that have looked for what neither the jail nor the host has, until they go on with something that is there.
final class MissedNames {
    private var processes: Set<Int32> = []

    func note(_ process: Int32) {
        if processes.count < 4096 { processes.insert(process) }
    }

    /// Whether a process missed something and now goes on with other work; `path` is what it uses, nil for an address.
    func isOver(_ process: Int32, using path: String?) -> Bool {
        guard processes.contains(process), !(path.map(Self.serves) ?? false) else { return false }
        processes.remove(process)
        return true
    }

    func has(_ process: Int32) -> Bool { processes.contains(process) }

    /// What a program opens to say that it has failed: messages in a language.
    private static func serves(_ path: String) -> Bool {
        ["/usr/share/locale", "/usr/share/locale-langpack", "/usr/lib/locale", "/proc"].contains { isWithin(path, $0) }
            || path.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("gconv".utf8) }
    }
}
