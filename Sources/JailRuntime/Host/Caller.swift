package import JailSpec
import Kernel
package import SpecFile

/// The person's side: where messages go, and what the process was started with.
package enum Caller {
    /// The words that the program was started with, its own name first.
    package static var arguments: [String] { startArguments() }

    /// The environment, home and current directory that a spec may refer to.
    package static func surroundings() -> Surroundings {
        Surroundings(
            variable: { $0 == "PWD" ? namedDirectory() : environmentVariable($0) }, home: environmentVariable("HOME"),
            currentDirectory: currentDirectoryPath())
    }

    /// The current directory, by the caller's name for it; nil where it has none, as one that was removed.
    private static func namedDirectory() -> String? {
        Surroundings.spelling(of: currentDirectoryPath(), written: environmentVariable("PWD")) { written in
            do throws(KernelError) {
                return try status(ofPath: written).isSame(as: status(ofPath: "."))
            } catch {
                return false
            }
        }
    }

    /// The running kernel, by its release.
    package static var kernel: KernelVersion? { KernelVersion(release: kernelRelease()) }

    /// Overwrites the values of an option as others read them in /proc/PID/cmdline, which everybody may.
    package static func hideStartValues(of option: String) { Kernel.hideStartValues(of: option) }

    /// The value of a variable of the caller's environment.
    package static func variable(_ name: String) -> String? { environmentVariable(name) }

    /// Whether the descriptor is a terminal.
    package static func hasTerminal(_ descriptor: Int32) -> Bool { isTerminal(descriptor) }

    /// The program's own file.
    package static var programPath: String {
        do throws(KernelError) {
            return try readLink("/proc/self/exe")
        } catch {
            return absolute(arguments.first ?? "immure")
        }
    }

    /// The path from the root; what is missing of it is the current directory, by procfs where that has no path any more.
    package static func absolute(_ path: String) -> String {
        if path.utf8.first == UInt8(ascii: "/") { return path }
        let directory = currentDirectoryPath()
        return (directory == "/" ? "" : directory.isEmpty ? "/proc/self/cwd" : directory) + "/" + path
    }

    private static func currentDirectoryPath() -> String {
        do throws(KernelError) {
            return try workingDirectory()
        } catch {
            return ""
        }
    }

    /// One line on standard error, in one write(2): nothing buffered can come out twice after a fork.
    package static func say(_ line: String) { write(line + "\n", to: 2) }

    /// The same while a jail is watched, whoever reads there: what is not taken in time is lost, and so is what comes after it until
    /// something can be written again.
    package static func say(_ line: String, within milliseconds: Int) {
        do throws(KernelError) {
            try writeAll(2, Array((line + "\n").utf8), within: milliseconds)
        } catch {
            return  // nobody listens, or not now
        }
    }

    /// Does what is left to do when a jail is over: files and readers that stand still hold it up for five seconds at most, or until
    /// somebody asks for an end.
    package static func patiently(_ body: @escaping () -> Void) {
        let launcher = currentProcess()
        let end = End()
        do throws(KernelError) {
            let work = try doBeside(heeding: Signal.endingLaunch, within: 5000) {
                guard isTied(to: launcher) else { exitNow(125) }
                body()
                end.isReached = true
                exitNow(0)
            }
            switch work {
            case .late: say("immure: warning: what is left to be said or written is not taken", within: 100)
            case .done where !end.isReached:
                say("immure: warning: who was to say and write the rest was killed", within: 100)
            case .done, .interrupted: break
            }
        } catch {
            body()  // there is no room for a process more
        }
    }

    private static func isTied(to launcher: Int32) -> Bool {
        do throws(KernelError) {
            try setParentDeathSignal(Signal.kill)
        } catch {
            return false
        }
        return parentProcess() == launcher
    }

    /// Text on a descriptor of the caller's, when a jail is over: whoever does not take it within five seconds, or before somebody
    /// asks for an end, gets no more of it.
    package static func tell(_ descriptor: Int32, _ text: String) {
        patiently { write(text, to: descriptor) }
    }

    /// Text on standard output.
    package static func show(_ text: String) { show(bytes: Array(text.utf8)) }

    /// The same for what need not be text.
    package static func show(bytes: [UInt8]) {
        do throws(KernelError) {
            try writeAll(1, bytes)
        } catch {
            say("immure: standard output: write: \(error.errno.name) \(error.errno.words)")
            leave(125)
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        do throws(KernelError) {
            try writeAll(descriptor, Array(text.utf8))
        } catch {
            return  // nobody listens, and there is nowhere else to say so
        }
    }

    /// Ends the process as a launch ended.
    package static func leave(_ outcome: Outcome) -> Never {
        if let signal = outcome.signal { die(of: signal, withGroup: outcome.tellsGroup) }
        leave(outcome.status)
    }

    /// Ends the process.
    package static func leave(_ status: Int32) -> Never { exitNow(status) }
}

/// Whether what is done beside has come to its end.
private final class End {
    var isReached = false
}
