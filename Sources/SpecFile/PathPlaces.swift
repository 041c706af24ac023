/// Whether an absolute path, cleaned, is another, or below it: byte by byte, for two spellings of one character are two names.
package func isWithin(_ path: String, _ directory: String) -> Bool {
    let (inner, outer) = (path.utf8, directory.utf8)
    let slash = UInt8(ascii: "/")
    guard inner.count >= outer.count else { return false }
    // What comes after it is looked at first: few paths have a slash there.
    guard
        inner.count == outer.count || outer.last == slash
            || inner[inner.index(inner.startIndex, offsetBy: outer.count)] == slash
    else { return false }
    return inner.starts(with: outer)
}

/// The directory that an absolute path, cleaned, is in.
package func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}
