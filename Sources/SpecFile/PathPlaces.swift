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

/// A path as a key: by its bytes, for two spellings of one character are two names, and equal as strings.
package struct PathKey: Hashable, Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package static func == (one: Self, other: Self) -> Bool { one.path.utf8.elementsEqual(other.path.utf8) }

    /// What has the same bytes is the same string.
    package func hash(into hasher: inout Hasher) { hasher.combine(path) }
}

/// The names of an absolute path, cleaned, one after another: a slash is one whatever accents the name behind it begins with.
package func names(of path: String) -> [String] {
    path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
}

/// An absolute path, cleaned, and each directory above it, `/` as the last.
package func placesAbove(_ path: String) -> [String] {
    var result = [path]
    while let place = result.last, place != "/" { result.append(parent(of: place)) }
    return result
}

/// The directory that an absolute path, cleaned, is in.
package func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}
