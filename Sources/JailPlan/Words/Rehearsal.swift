/// How much of an operation can be tried without a launch: by the launch's own code, in a process that ends at once, and with nothing
/// left of it.
package enum Rehearsal: Equatable, Sendable {
    /// All of it: it changes that process and nothing else.
    case done
    /// What it names of the host is opened.
    case opened
    /// What it names of the jail is looked for in what the tree will show of the host.
    case sought
    /// Nothing, for this reason.
    case never(String)
}

extension Operation {
    package var rehearsal: Rehearsal {
        switch self {
        case .tree(let operation): operation.rehearsal
        case .identity(let operation): operation.rehearsal
        case .process(let operation): operation.rehearsal
        case .limits(let operation): operation.rehearsal
        case .filter(let operation): operation.rehearsal
        case .landlock(let operation): operation.rehearsal
        case .network(let operation): operation.rehearsal
        case .service(let operation): operation.rehearsal
        }
    }
}

private let ofJail = "it is done to namespaces of the jail's own"
private let ofHost = "it changes something of the host"
private let alwaysCan = "whoever has come to it may do it"
private let ofCaller = "it is about descriptors, which are those of whoever launches"

extension TreeOperation {
    fileprivate var rehearsal: Rehearsal {
        switch self {
        case .fill(_, let filling, _): filling.rehearsal
        case .openImage, .openOverlay: .opened
        case .makeSource: .never(ofHost)
        case .attach, .makeDirectory, .makeSymlink: .sought
        case .isolateMounts, .beginRoot, .mask, .protect, .pin, .protectFile, .seal,
            .openQueues, .switchRoot:
            .never(ofJail)
        case .hide: .never("what is not there needs no hiding")
        }
    }
}

extension Filling {
    fileprivate var rehearsal: Rehearsal {
        switch self {
        case .tree, .device, .overlay, .image: .opened
        case .fileSystem, .file, .noticeSocket, .credentials: .never(ofJail)
        case .passedFile: .never(ofCaller)
        }
    }
}

extension IdentityOperation {
    fileprivate var rehearsal: Rehearsal {
        switch self {
        case .mapIdentities: .opened
        case .forbidUserNamespaces, .setIdentity, .setGroups, .dropBounding, .setSecureBits, .setCapabilities:
            .never(ofJail)
        case .forbidNewPrivileges: .never(alwaysCan)
        }
    }
}

extension ProcessOperation {
    fileprivate var rehearsal: Rehearsal {
        switch self {
        case .setOOMScore, .setNice, .setAffinity, .newKeyring, .joinNamespaces, .createNamespaces: .done
        case .changeDirectory, .lockFile: .sought
        case .joinJail, .holdNamespaces, .offsetClocks, .setHostName: .never(ofJail)
        case .openPipes, .closeDescriptors: .never(ofCaller)
        case .setInheritedAttributes, .startSession, .startCommand, .setUmask, .dieWithParent, .resetSignals,
            .nameProcess:
            .never(alwaysCan)
        case .execute: .never("a command that is not there is no refusal of the launch")
        }
    }
}

extension LimitOperation {
    fileprivate var rehearsal: Rehearsal {
        switch self {
        case .raiseHardLimit, .setResourceLimit: .done
        case .requestScope, .enableControllers, .createCgroup, .setLimit, .enterCgroup: .never(ofHost)
        case .giveGroup: .never(ofJail)
        }
    }
}

extension FilterOperation {
    fileprivate var rehearsal: Rehearsal {
        switch self {
        case .refuseNamespaces, .installFilter: .never(alwaysCan)
        case .installPrograms: .never(ofCaller)
        }
    }
}

extension LandlockOperation {
    fileprivate var rehearsal: Rehearsal {
        switch self {
        case .allowPath: .sought
        case .keepToTree, .createRuleset, .allowPort, .enforceRuleset, .enforceHeld: .never(ofJail)
        }
    }
}

extension NetworkOperation {
    fileprivate var rehearsal: Rehearsal {
        switch self {
        case .openPort: .done
        case .provideNetwork: .opened
        case .publish, .bringUpLoopback, .awaitNetwork: .never(ofJail)
        }
    }
}

extension ServiceOperation {
    fileprivate var rehearsal: Rehearsal {
        switch self {
        case .connectManager, .readCredentials: .done
        }
    }
}
