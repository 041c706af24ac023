import JailPlan
import JailSpec
import Kernel

/// What a launch would open of the host, opened, and looked at as the launch does.
extension Applier {
    mutating func openNamed(by operation: Operation, of plan: Plan) throws(Failure) {
        switch operation {
        case .tree(.fill(let slot, let filling, _)): try openSource(filling, isRoot: plan.isRoot(slot), of: plan)
        case .tree(.openImage(_, let source)): try openFile(of: source, of: plan)
        case .tree(.openOverlay(let slot, let source)): try openLayers(of: source, isRoot: plan.isRoot(slot), of: plan)
        case .identity(.mapIdentities(let maps)): try tryMaps(maps)
        case .network(.provideNetwork(let provision)):
            guard case .link(let link) = provision.way, let parent = link.parent else { return }
            let links = try failing { () throws(KernelError) in try Links() }
            _ = try index(of: parent, links)
        default: break
        }
    }

    private mutating func openSource(_ filling: Filling, isRoot: Bool, of plan: Plan) throws(Failure) {
        switch filling {
        case .tree(let source): try openTree(source, isRoot: isRoot, of: plan)
        case .device(let name, let major, let minor):
            let path = "/dev/" + name
            let found = try failing { () throws(KernelError) in try status(ofPath: path) }
            guard found.isCharacterDevice, found.device == (major, minor) else {
                throw Failure(.wrongDevice, text: path)
            }
        // Of those that a program serves the launcher has opened what it serves.
        case .overlay(let source): if source.owner == nil { try openLayers(of: source, isRoot: isRoot, of: plan) }
        case .image(let source): if case .kernel = source.reader { try openFile(of: source, of: plan) }
        case .fileSystem, .file, .passedFile, .noticeSocket, .credentials: break
        }
    }

    private mutating func openLayers(of source: OverlaySource, isRoot: Bool, of plan: Plan) throws(Failure) {
        var layers = OverlayLayers()
        defer { layers.close() }
        let isThere = try layers.openLower(of: source, isRoot: isRoot) { (path) throws(Failure) in
            try reach(path, of: plan)
        }
        guard isThere else { return }
        try refuseSubmounts(below: layers.lower, of: source)
        guard case .kept(let upper, let work) = source.changes else { return }
        try lookAtKept(upper, work, source, over: layers.lower, of: plan)
    }

    private mutating func openFile(of source: ImageSource, of plan: Plan) throws(Failure) {
        guard let image = try openImage(source, of: plan) else { return }
        defer { closeDescriptor(image.file) }
        if case .kernel = source.reader { try refuseForeign(image.file, source.path) }
        if image.format == .ext4 { try waitForTurn(image.file, source) }
    }

    private mutating func openTree(_ source: TreeSource, isRoot: Bool, of plan: Plan) throws(Failure) {
        // What the caller's descriptor leads to is for the launch to see; what is missing may be made by it.
        if source.descriptor != nil || plan.makesSource(source.path) { return }
        let place: Int32
        do throws(Failure) {
            place = try source.isWritten ? reach(source.path, of: plan).release() : openUnwritten(source.path)
        } catch {
            guard case .kernel = error.cause, error.errno == .noEntry, source.optional else { throw error }
            return
        }
        defer { closeDescriptor(place) }
        if isRoot { try requireRoot(place) }
        if let device = source.device { try requireDevice(place, device, source.path) }
        try requireOpen(source, place)
        guard source.limit != nil else { return }
        let directory = try failing { () throws(KernelError) in try open(".", at: place, .read | .directory) }
        try requireQuotas(directory.number, source.path)
    }

    /// In the words of a launch, which clones it.
    private func openUnwritten(_ path: String) throws(Failure) -> Int32 {
        do throws(KernelError) {
            return try open(path, .path).release()
        } catch {
            throw Failure(KernelError(.openTree, error.errno, path: path))
        }
    }

    /// By whoever would write them, for a child that ends at once. Whoever maps only himself may do so.
    private mutating func tryMaps(_ maps: IdentityMaps) throws(Failure) {
        let mapper = try IdentityMapper(maps)
        if case .itself = maps.writer { return }
        let (reading, writing) = try failing(makePipe)
        guard case .parent(let child) = try failing({ () throws(KernelError) in try fork(into: .user) }) else {
            closeDescriptor(writing)
            do throws(KernelError) {
                _ = try readAll(reading)
            } catch {
                exitNow(1)
            }
            exitNow(0)
        }
        defer { closeDescriptor(writing) }
        try mapper.write(by: self, process: "\(child)")
    }
}

extension Plan {
    /// Whether a launch makes it, or something above it.
    fileprivate func makesSource(_ path: String) -> Bool {
        steps.contains { step in
            if case .tree(.makeSource(let making)) = step.operation { making.path == path } else { false }
        }
    }
}
