package import JailPlan
import JailSpec
import Kernel
import LinuxFacts
package import SpecFile

/// Words a failure of a step: where it was written, what was being done, what the kernel said, and what to do about it.
package struct Explanation {
    let failure: Failure
    let plan: Plan
    let evidence: Evidence

    package init(_ failure: Failure, of plan: Plan, evidence: Evidence = .host) {
        self.failure = failure
        self.plan = plan
        self.evidence = evidence
    }

    /// The whole of it.
    package var diagnostic: Diagnostic {
        let title = plan.title(of: failure.step)
        let what = title.isEmpty ? "launch" : title
        return Diagnostic("\(what): \(reason)", at: origin, hint: hint)
    }

    /// The same of a jail that had to be killed, as nobody could watch over it any more.
    package var loss: Diagnostic {
        if case .coverGone = failure.cause { return Diagnostic("the jail was killed: \(reason)", at: step?.origin) }
        if case .helperEnded = failure.cause { return Diagnostic("\(reason); jail killed", at: nil) }
        if case .notWritten = failure.cause { return diagnostic }
        return Diagnostic("the jail was killed, it could not be watched over: \(reason)", at: nil)
    }

    /// Where it was written: the line of the limit where its controller is missing, or where it leaves the launch no descriptor.
    private var origin: Position? {
        if case .controllerMissing = failure.cause { return limitOrigin ?? step?.origin }
        return descriptorLimit?.origin ?? step?.origin ?? rootOrigin
    }

    /// What no line asks for is put into the root that a line has chosen: where it cannot be made there, it is that line.
    private var rootOrigin: Position? {
        switch step?.operation {
        case .tree(.attach), .tree(.makeDirectory), .tree(.makeSymlink), .tree(.hide), .tree(.mask), .tree(.protect),
            .tree(.pin), .tree(.protectFile):
            plan.steps.first { if case .tree(.beginRoot) = $0.operation { true } else { false } }?.origin
        default: nil
        }
    }

    /// The source of the host that is missing, where that is all.
    package var missingSource: String? {
        guard case .kernel = failure.cause, failure.errno == .noEntry else { return nil }
        guard case .tree(.fill(_, .tree(let source), _))? = step?.operation else { return nil }
        return source.path
    }

    /// The link that is to be made, and where the other leads that is there.
    package var differingLink: (path: String, found: String)? {
        guard case .linkDiffers = failure.cause, case .tree(.makeSymlink(let path, _))? = step?.operation else {
            return nil
        }
        return failure.text.isEmpty ? nil : (path, failure.text)
    }

    /// The step that failed; nil where it was none of the plan's.
    var step: Plan.Step? { plan.steps.indices.contains(failure.step) ? plan.steps[failure.step] : nil }

    /// `open_tree: ENOENT no such file or directory`, with the path where the title does not name it.
    var refusal: String {
        let words = "\(failure.errno.name) \(failure.errno.words)"
        let path = failure.text
        if path.isEmpty
            || plan.title(of: failure.step).utf8.split(separator: UInt8(ascii: " ")).contains(where: {
                $0.elementsEqual(path.utf8)
            })
        {
            return "\(failure.call.name): \(words)"
        }
        return "\(failure.call.name) \(path): \(words)"
    }

    /// The program and the image that it had something left for.
    private var unwritten: (program: Substring, image: Substring) {
        let parts = failure.text.split(separator: "\n", maxSplits: 1)
        return (parts.first ?? "", parts.last ?? "")
    }

    private var reason: String {
        switch failure.cause {
        case .kernel: refusal
        case .notProcfs: "\(failure.text) is not procfs"
        case .wrongDevice: "\(failure.text) is not the device of that name"
        case .outsideRoot: "the directory cannot be reached from the jail's root"
        case .commandNotFound: commandNotFound
        case .interpreterMissing: "\(refusalWithoutPath); its interpreter \(failure.text) is not in the jail"
        case .loaderMissing:
            failure.text.isEmpty
                ? refusalWithoutPath : "\(refusalWithoutPath); its loader \(failure.text) is not in the jail"
        case .helperMissing: "\(failure.text) is not installed"
        case .helperFailed: failure.text
        case .descriptorNotOpen: "descriptor \(failure.text) is not open"
        case .launcherGone: "the launcher has ended"
        case .callerGone: "the process that started immure has ended"
        case .outsideGone: "the process that does this from outside has ended"
        case .jailGone where !failure.text.isEmpty: "\(failure.text) ended the jail's first process"
        case .jailGone: "the jail's first process has ended, and could not say why"
        case .mountedNoexec: "\(refusalWithoutPath); \(failure.text) is on a noexec mount"
        case .notExecutable: "\(refusalWithoutPath); \(failure.text) has no x bit in its mode"
        case .isDirectory: "\(refusalWithoutPath); it is a directory"
        case .outsideLandlock: "\(refusalWithoutPath); landlock: \(failure.text) is not in rx"
        case .controllerMissing: controllerMissing
        case .limitDiffers: limitDiffers
        case .notInForce: "not in force: \(failure.text)"
        case .scopeRefused: "the service manager gives none: \(failure.text)"
        case .linkBelowWritable, .foreignLink: failure.text
        case .hiddenMissing: "it is not there, and the jail may write above it: a jail may have moved it"
        case .specReplaced: "\(failure.text) has been replaced since it was read"
        case .coverGone: "what it had mounted on \(failure.text) is gone: the name was replaced or removed from outside"
        case .ofOneProcess: "\(failure.text) leads to what procfs has of one process: for the others it is another file"
        case .targetTaken: "\(failure.text) leads to another mount than the one of this line"
        case .notAFilter: "\(failure.text), which are no filter"
        case .modeDiffers: "it is there already, and its mode is \(failure.text)"
        case .linkDiffers:
            "\(failure.call.name): \(failure.errno.name), "
                + (failure.text.isEmpty
                    ? "something else than this link is there" : "a link to \(failure.text) is there")
        case .interrupted: "\(Signal.name(failure.errno.rawValue)) ended the launch before this was done"
        case .helperEnded: failure.text
        case .notWritten: "\(unwritten.program) ended before all of it was in \(unwritten.image)"
        case .told: told.reason
        }
    }

    /// What the step has found out by itself; of anything else what the kernel said.
    var told: (reason: String, hint: String?) {
        switch failure.cause {
        case .told: break
        case .linkBelowWritable: return (failure.text, LinkWords.jailLinkHint)
        case .foreignLink: return (failure.text, LinkWords.foreignLinkHint)
        default: return (refusal, nil)
        }
        let bytes = failure.text.utf8
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return (failure.text, nil) }
        return (String(Substring(bytes[..<end])), String(Substring(bytes[bytes.index(after: end)...])))
    }

    var refusalWithoutPath: String { "\(failure.call.name): \(failure.errno.name) \(failure.errno.words)" }

    /// What to do, where the cause is known.
    private var hint: String? {
        switch failure.cause {
        case .kernel: kernelHint
        case .notProcfs: "mount it: " + Remedy.mountProc
        case .wrongDevice: DeviceNode.allCases.first { $0.path == failure.text }.map { Remedy.make([$0]) }
        case .outsideRoot: "give a cwd inside the jail"
        case .commandNotFound: commandNotFoundHint
        case .interpreterMissing: missingFileHint(failure.text)
        case .loaderMissing: missingFileHint(failure.text)
        case .helperMissing: Remedy.installUIDMap
        case .helperFailed: helperHint
        case .descriptorNotOpen: "open it for immure, as in `immure run … \(failure.text)<file`, or take it out of fds"
        case .launcherGone, .callerGone, .outsideGone, .jailGone, .interrupted, .helperEnded: nil
        case .notWritten: "e2fsck -fy \(unwritten.image)"
        case .mountedNoexec: noexecHint
        case .notExecutable: "chmod +x it, or name its interpreter: sh \(shellWord(failure.text))"
        case .isDirectory: nil
        case .outsideLandlock: "to have it run: [landlock] rx = [\"\(failure.text)\"], or a directory above it"
        case .controllerMissing: controllerHint
        case .limitDiffers: limitDiffersHint
        case .scopeRefused: Remedy.runInScope
        case .notInForce:
            "the call said that it was done, and the kernel shows otherwise: something between immure and the kernel (an "
                + "emulated kernel, a filter, a tracer) answers in its place; launch outside of it"
        case .linkBelowWritable: LinkWords.jailLinkHint
        case .hiddenMissing: hiddenHint
        case .specReplaced, .coverGone: nil
        case .foreignLink: LinkWords.foreignLinkHint
        case .ofOneProcess: "name what is not in /proc/self; filesystem.proc = false leaves the whole of /proc out"
        case .targetTaken:
            "a symbolic link leads it below or onto what another line mounts: write both targets without links"
        case .notAFilter: Self.filterHint
        case .modeDiffers: "leave mode out, and it stays as it is; or mount a tmpfs, which has a mode of its own"
        case .linkDiffers: "the root has a file or another link there; choose another target or remove the entry"
        case .told: told.hint
        }
    }

    private static let filterHint =
        "a filter is an array of struct sock_filter, as seccomp_export_bpf(3) writes it: 8 bytes for each of up to 4096 "
        + "instructions"

    private var kernelHint: String? {
        if let unitHint { return unitHint }
        if let hint = resourceHint { return hint }
        switch step?.operation {
        case .limits(.requestScope), .limits(.enableControllers), .limits(.createCgroup), .limits(.setLimit),
            .limits(.enterCgroup):
            return limitHint
        case .process(.createNamespaces(let kinds)): return namespaceHint(kinds)
        case .process(.joinNamespaces): return joinHint
        case .process(.joinJail) where failure.errno == .notPermitted || failure.errno == .accessDenied:
            return "the program of the jail's command may be executed, and not read, by the user: chmod a+r it"
        case .identity(.mapIdentities): return mapHint
        case .identity(.forbidUserNamespaces), .process(.offsetClocks), .process(.setOOMScore): return procfsHint
        case .identity(.setIdentity), .identity(.setGroups): return refusedCallsHint ?? identityHint
        case .process(.openPipes) where failure.errno == .invalid && evidence.isInUserNamespace: return missingIDHint
        case .process(.newKeyring) where failure.errno == .notPermitted || failure.errno == .accessDenied:
            return "keyrings are refused here, as in most containers: go without one of the jail's own by "
                + "process.keyring = \"inherit\""
        case .process(.execute): return executeHint
        case .filter(.installPrograms) where failure.errno == .invalid: return Self.filterHint
        case .process(.changeDirectory(let path)): return directoryHint(path)
        case .landlock(.keepToTree), .landlock(.createRuleset), .landlock(.allowPath), .landlock(.allowPort),
            .landlock(.enforceRuleset):
            return landlockHint
        case .limits(.setResourceLimit), .limits(.raiseHardLimit), .process(.setNice), .process(.setAffinity):
            return attributeHint
        case .none where failure.text == "/proc" && failure.errno == .noEntry:
            return "immure needs procfs where it starts: \(Remedy.mountProc) (\(Remedy.procOfBubblewrap))"
        case .none: return failure.call == .clone3 || failure.call == .unshare ? namespaceHint([.user]) : nil
        default: return mountHint ?? appArmorHint ?? refusedCallsHint
        }
    }
}
