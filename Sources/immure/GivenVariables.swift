import SpecFile

/// `--env NAME=VALUE`: a variable that specs refer to, in place of the caller's.
struct GivenVariable {
    let name: String
    let value: String

    init(_ text: String) throws(Rejection) {
        func fault(_ what: String) -> Rejection { Rejection([Diagnostic("--env \(text): \(what)", at: nil)]) }
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw fault("must be NAME=VALUE")
        }
        (name, value) = (String(text[..<equals]), String(text[text.index(after: equals)...]))
        guard name != "PWD" || value.hasPrefix("/") || value.hasPrefix("%") else {
            throw fault("must be an absolute directory")
        }
    }
}

extension Surroundings {
    /// The same, but for variables that are given.
    func with(_ given: [GivenVariable]) -> Surroundings {
        guard !given.isEmpty else { return self }
        func value(_ name: String) -> String? { given.last { $0.name == name }?.value }
        let own = variable
        return Surroundings(
            variable: { name in given.last { $0.name == name }?.value ?? own(name) },
            home: value("HOME") ?? home, currentDirectory: value("PWD") ?? currentDirectory)
    }
}
