/// The known name that a mistyped one was most likely meant to be, or nil where none is near.
package func nearest(_ written: String, _ known: [String]) -> String? {
    let word = folded(written)
    // The longest name of any vocabulary is below 30 bytes.
    guard !word.isEmpty, word.count <= 40 else { return nil }
    let tolerance = word.count < 4 ? 1 : word.count < 8 ? 2 : 3
    var best: (name: String, distance: Int)?
    for name in known {
        let candidate = folded(name)
        guard abs(candidate.count - word.count) <= tolerance else { continue }
        let distance = editDistance(word, candidate)
        // Nothing is near that shares no letter in its place.
        guard distance <= tolerance, distance < max(word.count, candidate.count) else { continue }
        if distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best?.name
}

/// Lower case, `-` as `_`: those differences cost nothing.
private func folded(_ text: String) -> [UInt8] {
    text.utf8.map { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
        case UInt8(ascii: "-"): UInt8(ascii: "_")
        default: byte
        }
    }
}

/// Insertions, deletions, replacements and swaps of neighbours.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before = [Int](repeating: 0, count: b.count + 1)
    var above = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1]
        row.reserveCapacity(b.count + 1)
        for j in 0..<b.count {
            var cost = min(above[j] + (a[i] == b[j] ? 0 : 1), above[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
            row.append(cost)
        }
        before = above
        above = row
    }
    return above[b.count]
}
