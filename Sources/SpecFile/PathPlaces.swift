/// Whether an absolute path, cleaned, is another, or below it.
package func isWithin(_ path: String, _ directory: String) -> Bool {
    path == directory || directory == "/" || path.hasPrefix(directory + "/")
}

/// The directory that an absolute path, cleaned, is in.
package func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}
