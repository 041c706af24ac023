/// Whether an absolute path, cleaned, is another, or below it: byte by byte, for two spellings of one character are two names.
package func isWithin(_ path: String, _ directory: String) -> Bool {
    let (inner, outer) = (path.utf8, directory.utf8)
    guard inner.starts(with: outer) else { return false }
    return inner.count == outer.count || outer.last == UInt8(ascii: "/")
        || inner[inner.index(inner.startIndex, offsetBy: outer.count)] == UInt8(ascii: "/")
}

/// The directory that an absolute path, cleaned, is in.
package func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}
