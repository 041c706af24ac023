import Kernel

/// Programs of the host that the launcher needs before the jail exists, such as newuidmap(1).
enum Helpers {
    /// The first file of that name in the caller's PATH, or in the system's directories.
    static func find(_ name: String, call: Call) throws(Failure) -> String {
        let path = environmentVariable("PATH") ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/bin", "/bin"]
        for directory in directories where directory.utf8.first == UInt8(ascii: "/") {
            do throws(KernelError) {
                _ = try open(directory + "/" + name, .path)
                return directory + "/" + name
            } catch {
                continue
            }
        }
        throw Failure(.helperMissing, call: call, text: name)
    }

    /// Runs it to its end and returns what it said on standard output and standard error.
    static func run(_ file: String, _ arguments: [String]) throws(Failure) -> (Termination, String) {
        let vector = CStringArray(arguments)
        let environment = CStringArray(["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        return try failing { () throws(KernelError) in
            let (ours, theirs) = try makeChannel()
            switch try fork() {
            case .child:
                do throws(KernelError) {
                    try duplicate(theirs, onto: 1)
                    try duplicate(theirs, onto: 2)
                    try resetSignals()
                    throw execute(file, vector, environment)
                } catch {
                    exitNow(127)
                }
            case .parent(let child):
                closeDescriptor(theirs)
                defer { closeDescriptor(ours) }
                var output: [UInt8] = []
                while let message = try receive(from: ours, limit: 4096), output.count < 1 << 16 {
                    output += message.bytes
                }
                var use = ResourceUse()
                guard let (_, end) = try wait(for: child, blocking: true, use: &use) else {
                    throw KernelError(.wait, .noProcess)
                }
                return (end, String(decoding: output, as: UTF8.self))
            }
        }
    }
}
