/// What was written, all of it: a spec file with everything it extends and every `--set`, merged into one table.
package struct Document: Equatable, Sendable {
    package let root: Table
    /// Every file that was read, in the order of reading: the spec itself first.
    package let files: [SourceFile]

    package init(root: Table, files: [SourceFile]) {
        self.root = root
        self.files = files
    }

    /// Reads the spec at `path` (nil: the empty spec), what it extends, and the arguments of `--set`; `translate` is asked where
    /// one of the files is JSON.
    package static func load(
        path: String?, overrides: [String] = [], in surroundings: Surroundings, reading read: @escaping FileReader,
        translating translate: Translator? = nil
    ) throws(Rejection) -> Document {
        var loader = Loader(surroundings: surroundings, reading: read, translating: translate)
        var root = Table()
        var faults: [Diagnostic] = []
        do throws(Diagnostic) {
            if let path { root = try loader.load(path, writtenAt: nil, below: []) }
        } catch {
            faults.append(error)
        }
        faults += loader.missing + loader.faults
        for (index, text) in overrides.enumerated() {
            do throws(Diagnostic) {
                let name = overrides.count > 1 ? "--set \(index + 1)" : "--set"
                root = try root.merging(parseOverride(text, named: name), .replacing)
            } catch {
                faults.append(error)
            }
        }
        guard faults.isEmpty else {
            // What could not be translated says nothing that could be looked at.
            let isOwn = loader.faults.isEmpty && !loader.files.isEmpty
            throw Rejection(faults, partial: isOwn ? Document(root: root, files: loader.files) : nil)
        }
        return Document(root: root, files: loader.files)
    }
}

/// Why a spec was not accepted: one or more faults.
package struct Rejection: Error, Equatable, Sendable {
    package let diagnostics: [Diagnostic]
    /// What was written as far as it could be read, where a file of several could not.
    package let partial: Document?

    package init(_ diagnostics: [Diagnostic], partial: Document? = nil) {
        self.diagnostics = diagnostics
        self.partial = partial
    }

    package static func == (one: Rejection, other: Rejection) -> Bool { one.diagnostics == other.diagnostics }
}
