/// The keys of a dotted path. By bytes, and by hand: by characters it was 8% of a launch by the front of bubblewrap's name, and by
/// `split` still 3%.
func pathParts(_ path: String) -> [String] {
    var parts: [String] = []
    parts.reserveCapacity(3)
    let bytes = path.utf8
    var start = bytes.startIndex
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: ".")) {
        parts.append(String(path[start..<end]))
        start = bytes.index(after: end)
    }
    parts.append(String(path[start...]))
    return parts
}
