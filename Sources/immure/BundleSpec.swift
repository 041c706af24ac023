import JailImport
import JailRuntime
import JailSpec
import SpecFile

/// The config.json of an OCI bundle in the place of a spec: what `immure import oci` makes of it, read at once.
///
/// What restricts and has no line is a fault: nothing is launched that is less of a jail than was asked for. What opens or sets
/// something and has none is told.
enum BundleSpec {
    /// As it is read to be looked at: what means something else in a jail of immure's is told as well.
    static func translate(_ text: [UInt8], _ file: String) -> Translation {
        translate(text, file) { $0.kind == .lost || $0.kind == .warning }
    }

    static func translateToLaunch(_ text: [UInt8], _ file: String) -> Translation {
        // What is the host's is told each time.
        translate(text, file) { note in
            note.kind == .lost || note.kind == .warning && note.directive.words.hasPrefix("linux.devices ")
        }
    }

    private static func translate(_ text: [UInt8], _ file: String, telling isTold: (ImportNote) -> Bool) -> Translation
    {
        var context = ImportContext.ofCaller
        context.isInPlace = true
        let draft = OCIImport.draft(of: [ImportSource(name: file, text: text)], [], context)
        var faults = draft.faults
        for note in draft.notes where faults.isEmpty || note.kind == .lostRestriction {
            let (words, position) = note.directive.place
            if isTold(note) {
                let reason = note.kind == .lost ? "left out: \(note.reason)" : note.reason
                Report.say(Diagnostic("\(words): \(reason)", at: position), as: .warning)
            } else if note.kind == .lostRestriction {
                faults.append(
                    Diagnostic(
                        "\(words): not available, and it restricts: \(note.reason)", at: position,
                        hint: "immure import oci \(shellWord(file)) prints a spec without it"))
            }
        }
        let whole = Position(file: file, line: 1, column: 1)
        return Translation(
            root: draft.root.placed(whole), faults: faults, files: Caller.directories(to: file, noun: "the bundle"))
    }
}

extension Table {
    /// The same, where what stands nowhere in the file is at `place`.
    fileprivate func placed(_ place: Position) -> Table {
        Table(
            entries.map { entry in
                let node = entry.node.placed(place)
                return Entry(key: entry.key, keyPosition: node.position, node: node)
            })
    }
}

extension Node {
    fileprivate func placed(_ place: Position) -> Node {
        let place = position.line > 0 ? position : place
        switch value {
        case .table(let table): return Node(.table(table.placed(place)), at: place)
        case .array(let list): return Node(.array(list.map { $0.placed(place) }), at: place)
        case .string, .integer, .unsigned, .float, .boolean, .date: return Node(value, at: place)
        }
    }
}
