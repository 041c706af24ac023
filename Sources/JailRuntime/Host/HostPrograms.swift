import Kernel

/// A program of the host that a launch needs, such as newuidmap(1): found and opened before anything is joined or made. Whoever
/// has its descriptor executes that file, whatever the path leads to by then.
struct HostProgram {
    let name: String
    let path: String
    /// Open with `O_PATH`; closed by exec, or with the process.
    let descriptor: Int32

    /// The first file of that name in the caller's PATH, or in the system's directories; `.helperMissing` of `call` where there
    /// is none.
    static func find(_ name: String, call: Call) throws(Failure) -> HostProgram {
        let path = environmentVariable("PATH") ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        for directory in directories where directory.utf8.first == UInt8(ascii: "/") {
            let file = directory + "/" + name
            do throws(KernelError) {
                return HostProgram(name: name, path: file, descriptor: try open(file, .path).release())
            } catch {
                continue
            }
        }
        throw Failure(.helperMissing, call: call, text: name)
    }

    /// Whether `find` would find it.
    static func isInstalled(_ name: String) -> Bool {
        do throws(Failure) {
            closeDescriptor(try find(name, call: .execve).descriptor)
            return true
        } catch {
            return false
        }
    }
}
