import SpecFile

typealias Repeated<Value> = (index: Int, again: Located<Value>, first: Position?)

/// Every value that stands in the list a second time: its index, and where it stood first. In the order of the list.
func repeats<Value: Hashable>(_ list: [Located<Value>]) -> [Repeated<Value>] {
    // A short list, as nearly every one is, is compared directly: the first use of a Dictionary type costs 20 µs.
    if list.count > 32 { return manyRepeats(list) }
    var result: [Repeated<Value>] = []
    for (index, element) in list.enumerated() {
        if let first = list[..<index].first(where: { $0.value == element.value }) {
            result.append((index, element, first.position))
        }
    }
    return result
}

private func manyRepeats<Value: Hashable>(_ list: [Located<Value>]) -> [Repeated<Value>] {
    var result: [Repeated<Value>] = []
    var seen: [Value: Position?] = [:]
    for (index, element) in list.enumerated() {
        if let first = seen[element.value] {
            result.append((index, element, first))
        } else {
            seen[element.value] = element.position
        }
    }
    return result
}
