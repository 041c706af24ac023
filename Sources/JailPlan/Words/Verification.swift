/// When what an operation came to is read back from the kernel, by another call than the one that did it.
package enum Verification: Equatable, Sendable {
    /// As soon as it is done.
    case atOnce
    /// With all mounts, once the tree is complete.
    case withTheTree
    /// With the status of the process that is about to be the command, /proc/PID/status.
    case withTheProcess
    /// By what it is good for: if it had not been done, a later step would fail. The words say which.
    case byWhatFollows(String)
    /// Not at all, for this reason.
    case never(String)

    /// In a few words, as `immure plan --json` has it.
    package var words: String {
        switch self {
        case .atOnce: "at once"
        case .withTheTree: "with the tree"
        case .withTheProcess: "with the process"
        case .byWhatFollows(let what): "by what follows: \(what)"
        case .never(let why): "never: \(why)"
        }
    }
}

extension Operation {
    /// Every operation says how it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .setLimit, .enterCgroup, .joinNamespaces, .createNamespaces, .mapIdentities, .offsetClocks, .setOOMScore,
            .forbidUserNamespaces, .isolateMounts, .setHostName, .openPort, .bringUpLoopback, .awaitNetwork, .setNice,
            .setAffinity, .newKeyring, .lockFile,
            .setInheritedAttributes, .startSession, .refuseNamespaces, .setSecureBits, .setResourceLimit,
            .keepToTree, .enforceRuleset, .dieWithParent, .closeDescriptors, .changeDirectory, .makeDirectory,
            .makeSource, .giveGroup, .joinJail, .enforceHeld:
            .atOnce
        case .fill, .attach, .makeSymlink, .hide, .mask, .protect, .pin, .protectFile, .seal, .switchRoot: .withTheTree
        case .setIdentity, .setGroups, .dropBounding, .forbidNewPrivileges, .setUmask, .setCapabilities, .resetSignals,
            .installFilter:
            .withTheProcess
        case .requestScope: .byWhatFollows("no group could be made in a scope that is not there")
        case .enableControllers, .createCgroup: .byWhatFollows("the files of each limit are read in the group")
        case .openImage, .openOverlay: .byWhatFollows("its file system is mounted, and answers")
        case .connectManager: .byWhatFollows("it is a descriptor, which is there or is not")
        case .provideNetwork: .byWhatFollows("the jail waits for its routes, and asks for what the rules refuse")
        case .publish: .byWhatFollows("the publisher compares its own sockets' network with the jail's, then says so")
        case .readCredentials: .byWhatFollows("they are written again as they were read")
        case .beginRoot: .byWhatFollows("the root of the jail is compared with it")
        case .raiseHardLimit: .byWhatFollows("setting the limit shows both")
        case .startCommand: .byWhatFollows("the command's process does the rest")
        case .createRuleset, .allowPath, .allowPort: .byWhatFollows("an access that they close is tried once they hold")
        case .installPrograms:
            .never("what they refuse is not known, and so nothing can be asked of the kernel after them")
        case .openPipes: .never("it closes nothing, and opens what the command holds already")
        case .holdNamespaces: .byWhatFollows("who enters is in each of them, or does not enter")
        case .openQueues: .never("it opens something: without it mq_open(3) would be refused")
        case .nameProcess: .never("it is a variable of the command's, which nobody else can set")
        case .execute: .never("nothing of immure is left to ask")
        }
    }
}
