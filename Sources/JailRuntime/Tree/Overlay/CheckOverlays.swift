import JailPlan
import Kernel

/// What can be seen of an overlay only once it is attached: the options that are in force.
extension Applier {
    /// Whether this kernel's overlays follow redirects unless they are told not to: what it does by default it does not say. False
    /// where that cannot be seen.
    static func followsRedirects() -> Bool {
        do throws(KernelError) {
            return try readText("/sys/module/overlay/parameters/redirect_always_follow").utf8.first == UInt8(ascii: "Y")
        } catch {
            return false
        }
    }

    /// The options of a mount by the call for it, or by the text that tells of all; nil where it is not attached: a clone in a
    /// mirror stands for it.
    private func optionsLine(of mount: Int32, _ text: inout [UInt8]?) throws(Failure) -> String? {
        if let options = mountOptions(of: mount) { return options }
        let number = try failing { () throws(KernelError) in try mountIdentity(of: mount) }
        if text == nil { text = try failing(proc().mountinfo) }
        var lines = MountLines(text ?? [])
        while let line = lines.next() {
            if lines.number(of: line) == number { return words(Array(lines.words(of: line).utf8)).last }
        }
        return nil
    }

    /// Without `userxattr` an ordinary user's overlay keeps no note of what was removed, and one that follows redirects leads
    /// wherever an attribute of the upper says.
    mutating func checkOverlayOptions(_ plan: Plan) throws(Failure) {
        var text: [UInt8]?
        for index in plan.steps.indices {
            guard case .tree(.fill(let slot, .overlay(let source), let promise)) = plan.steps[index].operation,
                source.owner == nil, slots[slot] >= 0
            else { continue }
            guard let line = try optionsLine(of: slots[slot], &text) else { continue }
            let said = line.utf8.split(separator: UInt8(ascii: ",")).map(Substring.init)
            let name = "overlay on \(promise.target)"
            try hold(
                said.contains("userxattr") == source.usesUserAttributes, at: index, name,
                source.usesUserAttributes ? "userxattr" : "no userxattr", line)
            let isFollowed = said.contains("redirect_dir=on") || said.contains("redirect_dir=follow")
            let isTold = !followsRedirects || said.contains("redirect_dir=nofollow")
            try hold(!isFollowed && isTold, at: index, name, "redirect_dir=nofollow", line)
            for option in ["metacopy=on", "index=on", "volatile"] {
                try hold(!said.contains(Substring(option)), at: index, name, "no \(option)", line)
            }
        }
    }
}
