import JailSpec
import SpecFile

/// PrivateDevices=, DevicePolicy= and DeviceAllow=: the nodes of /dev.
extension SystemdImport {
    private static let classes: [String: [String]] = [
        "char-drm": ["/dev/dri"], "char-alsa": ["/dev/snd"], "char-input": ["/dev/input"], "char-pts": [],
        "block-device-mapper": ["/dev/mapper"], "char-usb_device": ["/dev/bus/usb"],
    ]

    private static let patterns: [String: [String]] = [
        "char-tty": ["/dev/tty[0-9]*"], "char-vcs": ["/dev/vcs*"], "char-rtc": ["/dev/rtc*"], "char-hvc": ["/dev/hvc*"],
        "block-loop": ["/dev/loop[0-9]*"], "block-sd": ["/dev/sd*"], "block-blkext": ["/dev/nvme*"],
        "block-device-mapper": ["/dev/dm-*"], "char-hidraw": ["/dev/hidraw*"], "char-ttyS": ["/dev/ttyS*"],
        "char-ttyUSB": ["/dev/ttyUSB*"], "char-video4linux": ["/dev/video*"], "char-watchdog": ["/dev/watchdog*"],
        "char-ptp": ["/dev/ptp*"], "char-pps": ["/dev/pps*"], "char-tpm": ["/dev/tpm*"], "char-rfkill": ["/dev/rfkill"],
    ]

    mutating func writeDeviceNodes() {
        let line = last("PrivateDevices")
        let isPrivate = truth(line)
        hasPrivateDevices = isPrivate
        if let line {
            draft.isInForce(
                isPrivate ? .ownDevices : .nothing, isPrivate ? "" : "as DeviceAllow= says", line.directive)
        }
        let allowed = list("DeviceAllow")
        let policy = last("DevicePolicy")
        let word = policy?.value.lowercased() ?? "auto"
        if let policy {
            if word == "strict" {
                draft.warn(
                    "null, zero, full, random, urandom and tty of the jail's /dev can be opened all the same",
                    policy.directive)
            } else if ["auto", "closed"].contains(word) {
                draft.isInForce(.nothing, policy.directive)
            } else {
                draft.fail("\(quoted(policy.value)) is not a value of DevicePolicy=", policy.directive)
            }
        }
        if !isPrivate, allowed.isEmpty, word == "auto" {
            let origin = line?.directive ?? standard("without PrivateDevices= /dev is the host's")
            return draft.set("filesystem.dev", .string("host"), origin)
        }
        for entry in allowed {
            if isPrivate {
                draft.isInForce(.ownDevices, "PrivateDevices= has no node of it", entry.directive)
            } else {
                allow(entry)
            }
        }
        // As in the private /dev of systemd.
        if !draft.has("filesystem.dev") {
            draft.add(
                "mount",
                [
                    ("target", .string("/dev/log")), ("type", .string("symlink")),
                    ("to", .string("/run/systemd/journal/dev-log")),
                ], line?.directive ?? standard("/dev/log leads to the journal"))
        }
    }

    private mutating func allow(_ entry: UnitFile.Line) {
        let words = entry.value.spaced
        guard let device = words.first else { return }
        let name = specifiers.resolve(device)
        if name.hasPrefix("/dev/") {
            if ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx"]
                .contains(name)
            {
                return draft.isInForce(.nothing, entry.directive)
            }
            let options = words.count > 1 && !words[1].contains("w") ? ["ro", "dev"] : ["rw", "dev"]
            return showDevice(name, options, entry.directive)
        }
        if name == "char-*" || name == "block-*" {
            draft.warn("all devices of the host are there, not only one kind", entry.directive)
            return draft.set("filesystem.dev", .string("host"), entry.directive)
        }
        let directories = Self.classes[name], patterns = Self.patterns[name] ?? []
        if name.hasPrefix("char-/") || name.hasPrefix("block-/") {
            return draft.warn("no kind of devices has a slash in its name: systemd passes over it", entry.directive)
        }
        guard directories != nil || !patterns.isEmpty else {
            return draft.lose("a class of devices whose nodes are not known by name", entry.directive)
        }
        if directories?.isEmpty == true { return draft.isInForce(.nothing, entry.directive) }
        for path in directories ?? [] { showDevice(path, ["rw", "dev"], entry.directive) }
        for pattern in patterns {
            draft.addPattern(pattern, ["rw", "dev"], entry.directive)
        }
    }

    private mutating func showDevice(_ path: String, _ options: [String], _ directive: Directive) {
        draft.add(
            "mount",
            [
                ("target", .string(path)), ("source", .string(path)), ("options", .strings(options)),
                ("optional", .boolean(true)),
            ], directive)
    }
}
