import SpecFile

/// Every value that stands in the list a second time, with where it stood first.
func repeats<Value: Hashable>(_ list: [Located<Value>]) -> [(again: Located<Value>, first: Position?)] {
    // A short list, as nearly every one is, is compared directly: the first use of a Dictionary type costs 20 µs.
    if list.count > 32 { return manyRepeats(list) }
    var result: [(again: Located<Value>, first: Position?)] = []
    for (index, element) in list.enumerated() {
        if let first = list[..<index].first(where: { $0.value == element.value }) {
            result.append((element, first.position))
        }
    }
    return result
}

private func manyRepeats<Value: Hashable>(_ list: [Located<Value>]) -> [(again: Located<Value>, first: Position?)] {
    var result: [(again: Located<Value>, first: Position?)] = []
    var seen: [Value: Position?] = [:]
    for element in list {
        if let first = seen[element.value] {
            result.append((element, first))
        } else {
            seen[element.value] = element.position
        }
    }
    return result
}
