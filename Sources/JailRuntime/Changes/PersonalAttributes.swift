import Kernel

/// The access control lists among extended attributes, which say who may do what.
private let accessLists = [
    ("system.posix_acl_access", "access control list"), ("system.posix_acl_default", "default access control list"),
]

/// The words for the access control lists that are among these attributes.
func listWords(_ names: some Sequence<String>) -> [String] {
    let names = Set(names)
    return accessLists.filter { names.contains($0.0) }.map(\.1)
}

/// What two versions of one file have not alike of their attributes, in words: none for nothing.
func differences(_ one: [String: [UInt8]], _ other: [String: [UInt8]]) -> [String] {
    let names = Set(one.keys).union(other.keys).filter { one[$0] != other[$0] }
    let lists = listWords(names)
    return lists + (names.count > lists.count ? ["extended attributes"] : [])
}

/// The extended attributes that a person has set, with their values.
func personalAttributes(of descriptor: Int32) throws(KernelError) -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for name in try extendedAttributes(of: descriptor) where travels(name) {
        result[name] = try extendedAttribute(name, of: descriptor)
    }
    return result
}

/// The same of an entry of a directory.
func personalAttributes(of name: EntryName, at directory: Int32) throws(KernelError) -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for attribute in try extendedAttributes(of: name, at: directory) where travels(attribute) {
        result[attribute] = try extendedAttribute(attribute, of: name, at: directory)
    }
    return result
}
