/// Whether an absolute path, cleaned, is another, or below it: byte by byte, for two spellings of one character are two names.
package func isWithin(_ path: String, _ directory: String) -> Bool {
    let inner = path.utf8.span
    let outer = directory.utf8.span
    let (slash, length) = (UInt8(ascii: "/"), outer.count)
    guard inner.count >= length else { return false }
    // What comes after it is looked at first: few paths have a slash there.
    guard inner.count == length || length > 0 && outer[length - 1] == slash || inner[length] == slash else {
        return false
    }
    for index in 0..<length where inner[index] != outer[index] { return false }
    return true
}

/// The directory that an absolute path, cleaned, is in.
package func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}
