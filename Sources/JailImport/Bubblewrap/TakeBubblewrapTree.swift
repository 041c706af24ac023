import JailSpec
import SpecFile

extension BubblewrapImport {
    /// Takes an option about files; false where it is about something else.
    mutating func takeTree(_ option: BubblewrapOptions.Option) -> Bool {
        let values = option.values
        func place(_ written: String) -> String { cleaned(written.hasPrefix("/") ? written : "/" + written) }
        func entry(_ target: String, _ content: BubblewrapTree.Content, optional: Bool = false) {
            tree.add(
                .init(
                    target: place(target), content: content, directive: option.directive, isOptional: optional,
                    mode: mode, size: size), &draft)
        }
        switch option.name {
        case "--bind", "--bind-try", "--ro-bind", "--ro-bind-try", "--dev-bind", "--dev-bind-try":
            entry(
                values[1],
                .bind(
                    source: values[0], isWritable: !option.name.hasPrefix("--ro"),
                    hasDevices: option.name.hasPrefix("--dev")), optional: option.name.hasSuffix("-try"))
        case "--bind-fd", "--ro-bind-fd":
            guard descriptor(option) != nil else { return true }
            entry(values[1], .descriptor(number: values[0], isWritable: option.name == "--bind-fd"))
        case "--file", "--bind-data", "--ro-bind-data":
            guard descriptor(option) != nil else { return true }
            entry(
                values[1],
                .data(
                    descriptor: values[0], isBound: option.name != "--file", isWritable: option.name != "--ro-bind-data"
                ))
        case "--proc": entry(values[0], .proc)
        case "--dev": entry(values[0], .dev)
        case "--tmpfs": entry(values[0], .tmpfs)
        case "--mqueue": entry(values[0], .mqueue)
        case "--dir": entry(values[0], .directory)
        case "--symlink": entry(values[1], .symlink(to: values[0]))
        case "--overlay-src":
            lower.insert(values[0], at: 0)
            lowerDirective = option.directive
            draft.isInForce(.nothing, "a layer of the overlay that follows", option.directive)
        case "--overlay", "--tmp-overlay", "--ro-overlay":
            if let overlay = takeOverlay(option) { entry(values.last ?? "/", overlay) }
        case "--remount-ro": tree.makeReadOnly(place(values[0]), option.directive, &draft)
        case "--chmod":
            guard isOctal(values[0]) else {
                draft.fail("--chmod takes an octal argument <= 07777", option.directive)
                return true
            }
            tree.change(values[0], of: place(values[1]), option.directive, &draft)
        default: return false
        }
        return true
    }

    /// The overlay of the layers that came before; nil, and a fault, where they are too few.
    private mutating func takeOverlay(_ option: BubblewrapOptions.Option) -> BubblewrapTree.Content? {
        defer { lower = [] }
        let least = option.name == "--ro-overlay" ? 2 : 1
        guard lower.count >= least else {
            draft.fail(
                "\(option.name) requires at least \(least == 1 ? "one" : "two") --overlay-src", option.directive)
            return nil
        }
        let isKept = option.name == "--overlay"
        return .overlay(
            lower: lower, upper: isKept ? option.values[0] : nil, work: isKept ? option.values[1] : nil,
            isWritable: option.name != "--ro-overlay")
    }
}
