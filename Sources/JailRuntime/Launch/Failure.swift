package import Kernel

/// Why a step could not be done.
package enum Cause: UInt8, Sendable {
    /// The kernel refused a call.
    case kernel
    /// What should be procfs is not.
    case notProcfs
    /// A device node of the host has other numbers than its name promises.
    case wrongDevice
    /// The working directory cannot be reached from the jail's root.
    case outsideRoot
    /// No such program inside the jail.
    case commandNotFound
    /// The program is there; its `#!` interpreter (`text`) is not.
    case interpreterMissing
    /// The program is there; its ELF loader (`text`) is not.
    case loaderMissing
    /// newuidmap(1) or newgidmap(1) is not installed; one of them, or nft(8), refused (`text`).
    case helperMissing, helperFailed
    /// A descriptor that should be passed on is not open.
    case descriptorNotOpen
    /// The launcher is gone.
    case launcherGone
    /// The process that started the launcher is gone.
    case callerGone
    /// Whoever does what is to be done outside is gone.
    case outsideGone
    /// The jail's first process ended without a word.
    case jailGone
    /// A symbolic link is in the way, pointing elsewhere than asked.
    case linkDiffers
    /// The program (`text`, or the interpreter it names) is on a mount that forbids execution.
    case mountedNoexec
    /// The program (`text`, or the interpreter it names) has no x bit.
    case notExecutable
    /// The program is a directory.
    case isDirectory
    /// No Landlock rule lets the program (`text`, or the interpreter or loader it names) be executed.
    case outsideLandlock
    /// A controller does not reach the group below which the jail's would be (`text`: controller and path).
    case controllerMissing
    /// A file of the cgroup says something else than was written (`text`: file and answer).
    case limitDiffers
    /// The service manager gives no scope (`text`).
    case scopeRefused
    /// A directory is there with another mode (`text`) than asked.
    case modeDiffers
    /// The kernel shows something else than the step came to (`text`: what, promised and found).
    case notInForce
    /// The target (`text`) leads to something else than what was put on it.
    case targetTaken
    /// A descriptor holds no filter (`text`: what it holds).
    case notAFilter
    /// A symbolic link on the way to a source is not followed (`text`: which, whose, why).
    case linkBelowWritable, foreignLink
    /// What is to be hidden (`text`) is not there, below what the jail may write.
    case hiddenMissing
    /// A file that the spec was read from (`text`) is another one by now.
    case specReplaced
    /// What stood on a target (`text`) is there no more, while the jail runs.
    case coverGone
    /// The target (`text`) is another file for each process.
    case ofOneProcess
    /// A signal (its number instead of an errno) ended the launch before the command ran.
    case interrupted
    /// A program of the host that the jail depends on has ended (`text`: which, and what it said last).
    case helperEnded
    /// The step has found out by itself what stands in the way (`text`: the reason and, after a line break, the hint).
    case told
    /// A program has not written all that it had of an image (`text`: the program and, after a line break, the image).
    case notWritten
}

/// A failure as it crosses from the jail to the launcher: which step of the plan, which call, which errno. The launcher,
/// which has the plan as well, words it.
package struct Failure: Error, Sendable {
    /// The index in the plan; −1 where the launch failed outside of every step.
    package var step = -1
    package let cause: Cause
    package let call: Call
    package let errno: Errno
    package let text: String

    package init(_ cause: Cause, call: Call = .open, errno: Errno = Errno(rawValue: 0), text: String = "") {
        self.cause = cause
        self.call = call
        self.errno = errno
        self.text = text
    }

    /// What a step has found out by itself: why it cannot be done, and what to do about it. Both cross as they are.
    package init(telling reason: String, hint: String?) {
        self.init(.told, text: reason + (hint.map { "\n" + $0 } ?? ""))
    }

    /// A signal came before the command ran.
    static func interrupted(by signal: Int32) -> Failure { Failure(.interrupted, errno: Errno(rawValue: signal)) }

    package init(_ error: KernelError) {
        self.init(.kernel, call: error.call, errno: error.errno, text: error.path)
    }
}

/// Runs a body of kernel calls; what they throw becomes a failure of the step.
@inline(__always)
func failing<Result: ~Copyable>(_ body: () throws(KernelError) -> Result) throws(Failure) -> Result {
    do throws(KernelError) {
        return try body()
    } catch {
        throw Failure(error)
    }
}
