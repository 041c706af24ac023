/// How many changes there are of each kind.
package struct ChangeCount {
    package let text: String

    package init(_ changes: [Change]) {
        func count(_ kinds: Change.Kind...) -> Int { changes.count { kinds.contains($0.kind) } }
        text =
            "\(count(.added)) added, \(count(.content, .metadata)) changed, \(count(.replaced)) replaced, "
            + "\(count(.deleted)) deleted"
    }
}
