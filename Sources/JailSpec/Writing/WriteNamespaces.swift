import SpecFile

extension SpecWriter {
    mutating func write(_ namespaces: Namespaces) {
        for kind in NamespaceKind.allCases {
            add("namespaces.\(kind.rawValue)", namespaces.written[kind]) { choice in
                switch choice {
                case .new: TOML.string("new")
                case .host: TOML.string("host")
                case .path(let path): TOML.string(path)
                }
            }
        }
        add("namespaces.nested", namespaces.nested) { "\($0)" }
        add("namespaces.time.monotonic", namespaces.monotonic, TOML.duration)
        add("namespaces.time.boottime", namespaces.boottime, TOML.duration)
    }
}
