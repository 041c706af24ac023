/// One parameter of fsconfig(2): a key with its value, never a joined option string.
package struct FileSystemOption: Sendable, Equatable {
    package let key: String
    package let value: String?
    package init(_ key: String, _ value: String? = nil) {
        self.key = key
        self.value = value
    }
}
