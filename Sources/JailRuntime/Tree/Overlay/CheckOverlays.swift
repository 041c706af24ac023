import JailPlan
import Kernel

/// What can be seen of an overlay only once it is attached: the options that are in force.
extension Applier {
    /// Whether this kernel's overlays follow redirects unless they are told not to: what it does by default it does not say. False
    /// where that cannot be seen.
    private static func followsRedirects() -> Bool {
        do throws(KernelError) {
            return try readText("/sys/module/overlay/parameters/redirect_always_follow").utf8.first == UInt8(ascii: "Y")
        } catch {
            return false
        }
    }

    /// The options of a mount by the call for it, or by the text that tells of all; nil where it is not attached: a clone in a
    /// mirror stands for it.
    private func optionsLine(of mount: Int32, _ text: inout [UInt8]?) throws(Failure) -> [UInt8]? {
        if let options = mountOptions(of: mount) { return options }
        let number = try failing { () throws(KernelError) in try mountIdentity(of: mount) }
        if text == nil { text = try failing(proc().mountinfo) }
        var lines = MountLines(text ?? [])
        while let line = lines.next() {
            if lines.number(of: line) == number {
                return words(Array(lines.words(of: line).utf8)).last.map { Array($0.utf8) }
            }
        }
        return nil
    }

    /// Without `userxattr` an ordinary user's overlay keeps no note of what was removed, and one that follows redirects leads
    /// wherever an attribute of the upper says. To be called while the host's sysfs is in sight.
    mutating func checkOverlayOptions(_ plan: Plan) throws(Failure) {
        var text: [UInt8]?
        for index in plan.steps.indices {
            guard case .tree(.fill(let slot, .overlay(let source), let promise)) = plan.steps[index].operation,
                source.owner == nil, slots[slot] >= 0
            else { continue }
            guard let line = try optionsLine(of: slots[slot], &text) else { continue }
            // Words are made only of what does not hold: of a long one alone what it takes to give it back is 40 us.
            func found() -> String { String(decoding: line, as: UTF8.self) }
            func name() -> String { "overlay on \(promise.target)" }
            try hold(
                says(line, "userxattr") == source.usesUserAttributes, at: index, name(),
                source.usesUserAttributes ? "userxattr" : "no userxattr", found())
            let isFollowed = says(line, "redirect_dir=on") || says(line, "redirect_dir=follow")
            // What is the default is not said.
            let isTold = says(line, "redirect_dir=nofollow") || !Self.followsRedirects()
            try hold(!isFollowed && isTold, at: index, name(), "redirect_dir=nofollow", found())
            for option in ["metacopy=on", "index=on", "volatile"] {
                try hold(!says(line, option), at: index, name(), "no \(option)", found())
            }
        }
    }
}

/// Whether an option is one of those that commas part.
private func says(_ line: [UInt8], _ option: String) -> Bool {
    let (bytes, wanted) = (line.span, option.utf8.span)
    var start = 0
    for end in 0...bytes.count where end == bytes.count || bytes[end] == UInt8(ascii: ",") {
        let place = start
        start = end + 1
        guard end - place == wanted.count else { continue }
        if wanted.indices.allSatisfy({ bytes[place + $0] == wanted[$0] }) { return true }
    }
    return false
}
