import SpecFile

extension Section {
    /// Whether two words say opposite things, mount(8).
    private func areOpposite(_ a: String, _ b: String) -> Bool {
        switch (a, b) {
        case ("ro", "rw"), ("suid", "nosuid"), ("dev", "nodev"), ("exec", "noexec"), ("bind", "rbind"),
            ("noatime", "relatime"), ("noatime", "strictatime"), ("relatime", "strictatime"):
            true
        default: false
        }
    }

    private func reportOpposite(of word: Located<String>, in words: [Located<String>]) {
        for other in words {
            if other == word { return }
            if areOpposite(word.value, other.value) || areOpposite(other.value, word.value) {
                report(
                    "mount.options: \"\(word.value)\" contradicts \"\(other.value)\"\(also(at: other.position))",
                    at: word.position)
                return
            }
        }
    }

    func mountOptions(_ words: [Located<String>], _ type: MountType) -> MountOptions {
        var result = MountOptions()
        for (_, again, first) in repeats(words) {
            report("mount.options: \(quoted(again.value)) is given twice\(also(at: first))", at: again.position)
        }
        for word in words {
            reportOpposite(of: word, in: words)
            if type != .bind, word.value == "rbind" || word.value == "bind" && type != .overlay {
                report("mount.options: \"\(word.value)\" is for the type \"bind\"", at: word.position)
            }
            if type.foreignWords.contains(word.value) {
                let (kept, type) = (word.value == "rw" ? "ro" : "no" + word.value, type.rawValue)
                report(
                    "mount.options: \"\(word.value)\" is not available for the type \"\(type)\"", at: word.position,
                    hint: "it is always \(kept): leave the word out")
            }
            if let known = MountOptions.words.first(where: { $0.word == word.value }) { result.add(known) }
        }
        return result
    }
}

extension Form {
    static func mountOption(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let word = try text(node, decoding)
        let known = MountOptions.words
        guard known.contains(where: { $0.word == word }) else { throw unknown(word, of: known.map(\.word), node) }
        return word
    }
}
