import JailPlan
import Kernel

/// Executing the command, and finding out why that failed.
extension Applier {
    /// Last of all. Throws the reason why the command does not run; there is no other way back.
    mutating func execute(
        _ arguments: [String], _ calledAs: String?, _ environment: [String], of plan: Plan
    ) throws(Failure) {
        if plan.programs == nil { try checkProcess(plan) }
        if let stage, !stage.beginExecution() { throw Failure(.launcherGone) }
        throw execute(arguments, calledAs, environment + service.ownProcess.map { "\($0)=\(currentProcess())" })
    }

    private func execute(_ arguments: [String], _ calledAs: String?, _ environment: [String]) -> Failure {
        let vector = CStringArray((calledAs.map { [$0] } ?? [arguments[0]]) + arguments.dropFirst())
        let variables = CStringArray(environment)
        let name = arguments[0]
        if name.utf8.contains(UInt8(ascii: "/")) {
            return explain(Kernel.execute(name, vector, variables))
        }
        // As execvp(3): a file that may not be executed is passed over, and remembered.
        var denied: KernelError?
        for directory in searchPath(environment) {
            let error = Kernel.execute(directory + "/" + name, vector, variables)
            if isAbsent(error.errno), !exists(error.path) { continue }
            guard error.errno == .accessDenied else { return explain(error) }
            denied = denied ?? error
        }
        if let denied { return explain(denied) }
        return Failure(.commandNotFound, call: .execve, errno: .noEntry, text: name)
    }

    private func isAbsent(_ errno: Errno) -> Bool { errno == .noEntry || errno == .notDirectory }

    private func searchPath(_ environment: [String]) -> [String] {
        let entry = environment.last { $0.utf8.starts(with: "PATH=".utf8) } ?? "PATH=/usr/bin:/bin"
        return entry.utf8.dropFirst(5).split(separator: UInt8(ascii: ":")).map { String(decoding: $0, as: UTF8.self) }
    }

    private func exists(_ path: String) -> Bool {
        do throws(KernelError) {
            _ = try open(path, .path)
            return true
        } catch {
            return false
        }
    }

    /// What the errno leaves open can be seen only from inside: the launcher does not see the jail's files.
    private func explain(_ error: KernelError) -> Failure {
        do throws(KernelError) {
            switch error.errno {
            case .noEntry:
                guard exists(error.path) else {
                    return Failure(.commandNotFound, call: .execve, errno: .noEntry, text: error.path)
                }
                return try explainMissing(error.path)
            case .accessDenied: return try explainDenied(error.path) ?? Failure(error)
            default: return Failure(error)
            }
        } catch {
            return Failure(KernelError(.execve, error.errno, path: error.path))
        }
    }

    /// ENOENT for a file that is there means that what it names is not: its interpreter, or its loader.
    private func explainMissing(_ path: String, depth: Int = 0) throws(KernelError) -> Failure {
        let head = try head(of: path)
        guard let interpreter = ProgramHead.interpreter(head) else {
            return Failure(.loaderMissing, call: .execve, errno: .noEntry, text: ProgramHead.loader(head) ?? "")
        }
        // The kernel follows five interpreters, binfmt_script.
        guard exists(interpreter), depth < 5 else {
            return Failure(.interpreterMissing, call: .execve, errno: .noEntry, text: interpreter)
        }
        return try explainMissing(interpreter, depth: depth + 1)
    }

    /// EACCES: the kind of the file, its mount, its mode, Landlock, or the same of its interpreter or loader.
    private func explainDenied(_ path: String, depth: Int = 0) throws(KernelError) -> Failure? {
        let file = try open(path, .path)
        let found = try status(of: file.number)
        func denied(_ cause: Cause) -> Failure {
            Failure(cause, call: .execve, errno: .accessDenied, text: path)
        }
        if found.isDirectory { return denied(.isDirectory) }
        if try isMountedNoexec(file.number) { return denied(.mountedNoexec) }
        if found.permissions & 0o111 == 0 { return denied(.notExecutable) }
        if try !mayExecute(path) { return denied(.outsideLandlock) }
        let head = try head(of: path)
        guard depth < 5, let next = ProgramHead.interpreter(head) ?? ProgramHead.loader(head) else { return nil }
        return try explainDenied(next, depth: depth + 1)
    }

    private func head(of path: String) throws(KernelError) -> [UInt8] {
        let file = try open(path, .read | .nonBlocking | .noTerminal)
        return try readSome(file.number, limit: 4096) ?? []
    }
}
