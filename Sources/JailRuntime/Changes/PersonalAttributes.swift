import Kernel

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
