import CLinux
import LinuxFacts

/// The words that the program was started with, the program's own name first. Not from /proc/self/cmdline, which needs
/// a procfs and a descriptor.
package func startArguments() -> [String] {
    var words: [String] = []
    guard let vector = unsafe linux_arguments() else { return words }
    for index in 0..<Int(linux_argument_count()) {
        if let word = unsafe vector[index] { words.append(unsafe String(escaping: word)) }
    }
    return words
}

/// The parent process as the program started; 0 for one outside of this pid namespace. `parentProcess` differs once that one
/// has ended. The corresponding C function is `getppid`.
package func startParent() -> Int32 { linux_start_parent() }

/// The caller's environment as `NAME=value` in its order; an entry without a name or without `=` is left out.
package func callerEnvironment() -> [String] {
    var result: [String] = []
    guard var entry = unsafe linux_environment() else { return result }
    while let text = unsafe entry.pointee {
        let pair = unsafe String(escaping: text)
        if let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")), equals != pair.startIndex { result.append(pair) }
        unsafe entry += 1
    }
    return result
}

/// One variable of the caller's environment: the first of that name, as getenv(3) finds it.
package func environmentVariable(_ name: String) -> String? {
    unsafe name.withKernelText { name -> String? in
        guard var entry = unsafe linux_environment() else { return nil }
        let length = unsafe strlen(name)
        while let text = unsafe entry.pointee {
            if unsafe strncmp(name, text, length) == 0, unsafe text[length] == CChar(UInt8(ascii: "=")) {
                return unsafe String(escaping: text + length + 1)
            }
            unsafe entry += 1
        }
        return nil
    }
}

/// Overwrites this process's arguments and environment, which others read in /proc/PID/cmdline and environ: from then on there
/// are none.
package func hideStart() { linux_hide_start() }

/// Overwrites the values of an option in this process's arguments, as others read them: their keys, before `=`, stay.
package func hideStartValues(of option: String) { unsafe option.withCString { unsafe linux_hide_values($0) } }
