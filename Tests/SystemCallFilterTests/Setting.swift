import CLinux

/// A variable that the tests were started with; getenv(3) knows none, as the program hides them from every library.
func setting(_ name: String) -> String? {
    guard var entry = unsafe linux_environment() else { return nil }
    while let text = unsafe entry.pointee {
        let pair = unsafe String(cString: text)
        if pair.hasPrefix(name + "=") { return String(pair.dropFirst(name.count + 1)) }
        unsafe entry += 1
    }
    return nil
}
