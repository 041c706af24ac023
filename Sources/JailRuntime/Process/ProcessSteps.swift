import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// How the steps towards the command's process are done, and how each is read back.
extension Applier {
    mutating func apply(_ operation: ProcessOperation, of plan: Plan) throws(Failure) {
        switch operation {
        case .joinNamespaces(let joined): try join(joined, of: plan)
        case .joinJail(let kinds): try joinJail(kinds)
        case .createNamespaces(let kinds): try createNamespaces(kinds, plan)
        case .offsetClocks(let monotonic, let boottime): try offsetClocks(monotonic, boottime)
        case .setOOMScore(let score): try proc().write("\(score)", to: "self/oom_score_adj")
        case .openPipes(let descriptors, let group):
            try failing { () throws(KernelError) in
                for number in descriptors { try letReopen(pipe: number, group: group) }
            }
        case .setHostName(let name): try failing { () throws(KernelError) in try setHostName(name) }
        case .setNice(let nice): try failing { () throws(KernelError) in try setNice(nice) }
        case .setAffinity(let cpus): try failing { () throws(KernelError) in try setAffinity(cpus) }
        case .lockFile(let path): try lockFile(path, of: plan)
        case .holdNamespaces(let kinds): try holdNamespaces(kinds, of: plan)
        case .newKeyring: witness.keyring = try failing(joinNewKeyring)
        case .setInheritedAttributes(let wanted): try resetInherited(to: wanted)
        case .startSession(let terminal): try startSession(terminal, of: plan)
        case .startCommand: throw Failure(.launcherGone)  // where two processes part, in `FirstProcess`
        case .setUmask(let mask): setUmask(mask)
        case .dieWithParent: try dieWithParent()
        case .closeDescriptors(let kept): try closeDescriptors(keeping: kept)
        case .resetSignals: try failing(resetSignals)
        case .changeDirectory(let path): try enterDirectory(path)
        case .nameProcess(let names): service.ownProcess = names
        case .execute(let arguments, let name, let environment): try execute(arguments, name, environment, of: plan)
        }
    }

    mutating func check(_ operation: ProcessOperation, in plan: Plan) throws(Failure) {
        switch operation {
        case .joinNamespaces(let joined): try checkJoined(joined)
        case .joinJail(let kinds): try checkEntered(kinds)
        case .createNamespaces: try checkNamespaces(plan)
        case .offsetClocks: try checkClocks()
        case .setOOMScore(let score): try show("self/oom_score_adj", "\(score)")
        case .setHostName(let name):
            let found = hostName()
            try hold(found == name, "hostname", name, found)
        case .setNice(let nice):
            let found = niceness()
            try hold(found == nice, "nice", "\(nice)", "\(found)")
        case .setAffinity(let cpus): try checkAffinity(cpus)
        case .newKeyring: try checkKeyring()
        case .setInheritedAttributes(let wanted): try checkInheritedAttributes(wanted)
        case .startSession(let kind): try checkSession(kind)
        case .dieWithParent: try checkDeathSignal()
        case .closeDescriptors(let kept): try checkDescriptors(kept, plan)
        // As they are done: the answer of the kernel is what the step goes by.
        case .changeDirectory, .lockFile: break
        // With the process that is about to be the command: `checkStatus`.
        case .setUmask: break
        case .resetSignals: break
        case .openPipes, .startCommand:
            break
        case .holdNamespaces, .nameProcess, .execute: break
        }
    }
}
