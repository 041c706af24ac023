import Kernel
package import SpecFile

/// The files that a spec is read from, by what they are whatever their names, those that could not be read among them.
package final class FilesRead {
    private var files: [(path: String, identity: FileIdentity)] = []
    let toLaunch: Bool

    /// `toLaunch`: root follows no link to one that others made.
    package init(toLaunch: Bool) { self.toLaunch = toLaunch }

    var isEmpty: Bool { files.isEmpty }
    var all: [(path: String, identity: FileIdentity)] { files }

    /// Reads one, which may be hostile.
    package func read(_ path: String) throws(Diagnostic) -> FileContents {
        do throws(Diagnostic) {
            let contents = try Caller.readSpec(path, toLaunch: toLaunch)
            files.append((path, FileIdentity(device: contents.device, inode: contents.inode)))
            return contents
        } catch {
            note(path)
            throw error
        }
    }

    /// The same for a launch that has a deadline, which a file server that does not answer must not hold up: read beside this process.
    package func read(_ path: String, within timeout: Duration?) throws(Diagnostic) -> FileContents {
        guard let timeout else { return try read(path) }
        let reading = ReadBeside()
        do throws(KernelError) {
            _ = try Caller.lookBeside(within: timeout, at: { "read \(quoted(path))" }) {
                do throws(Diagnostic) {
                    reading.contents = try self.read(path)
                } catch {
                    reading.fault = error
                }
            }
        } catch {
            throw Diagnostic("\(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)
        }
        if let fault = reading.fault { throw fault }
        guard let contents = reading.contents else { throw Diagnostic("who was to read it was killed", at: nil) }
        return contents
    }

    /// What a name leads to, where it leads anywhere.
    package func note(_ path: String) {
        do throws(KernelError) {
            files.append((path, try status(ofPath: path).identity))
        } catch {
            return  // there is nothing to spare
        }
    }

    /// The name that a file was read by; nil where it is none of them.
    func name(of identity: FileIdentity) -> String? { files.first { $0.identity == identity }?.path }
}

/// What came of reading in a process beside.
private final class ReadBeside {
    var contents: FileContents?
    var fault: Diagnostic?
}
