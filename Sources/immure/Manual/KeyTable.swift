/// A key of the spec as immure.toml(5) has it.
struct KeyDescription {
    let key: String
    /// What may be written, with the default.
    let form: String
    let meaning: String

    init(_ key: String, _ form: String, _ meaning: String) {
        self.key = key
        self.form = form
        self.meaning = meaning
    }
}

/// A section of the spec with its keys.
struct SectionDescription {
    let name: String
    let introduction: String
    let keys: [KeyDescription]
    /// Read and validated, and refused at launch.
    var isLater = false
}

extension Manual {
    /// Every key of the contract, in its order.
    static let sections: [SectionDescription] =
        [top, filesystem, mount, namespaces, identity, capabilities, process, environment, rlimits, service, limits]
        + laterSections
}
