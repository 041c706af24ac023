import JailPlan
import JailSpec
import Kernel

/// Whether the unit around the caller is left to it.
extension ControlGroups {
    /// The attributes by which systemd's system manager says that a group is delegated: the older one only root can read.
    static func isMarked(_ directory: String) -> Bool {
        hasAttribute("user.delegate", directory) || hasAttribute("trusted.delegate", directory)
    }

    /// Finds the unit that the caller is in, and whether it is delegated.
    ///
    /// The system manager marks the group, and gives it to the unit's user: nobody else does either. A manager of a user's has
    /// marked nothing until systemd 254, and all of its groups are the user's: it is asked.
    mutating func lookAtUnit(around path: String, below mount: String) {
        guard var unit = Unit.around(path) else { return }
        let directory = mount + unit.path
        unit.isDelegated =
            Self.isMarked(directory)
            || (unit.manager == .system && uid != 0 && mayWrite(directory) && mayWrite(directory + "/cgroup.procs"))
        if !unit.isDelegated, scope == .unit { ask(of: &unit, below: mount) }
        if unit.isDelegated {
            if own?.path == unit.path { own?.isDelegated = true }
            if parent?.path == unit.path { parent?.isDelegated = true }
        }
        self.unit = unit
    }

    /// Asks the unit's manager for what no file shows, as far as that concerns the launch; all of it over one connection, which is
    /// given up where it answers nothing in time.
    private func ask(of unit: inout Unit, below mount: String) {
        var questions: [String] = []
        if unit.manager == .user, manager != nil { questions.append("Delegate") }
        if !unit.isService {
            unit.limits = Self.limits(of: unit, below: mount)
            // Its network is filtered by programs that no file shows, and that only root's manager may install.
            if uid == 0, unit.manager == .system, manager != nil {
                questions += [
                    "IPAddressDeny", "IPIngressFilterPath", "IPEgressFilterPath", "RestrictNetworkInterfaces",
                ]
            }
        }
        guard !questions.isEmpty else { return }
        do throws(Failure) {
            var socket = try ManagerSocket.open(uid: uid, within: Self.patience)
            for name in questions {
                switch (name, try socket.isSet(name, of: unit)) {
                case ("Delegate", .refused(let why)): unit.doubt = "its manager does not say: \(why)"
                case ("Delegate", let answer): unit.isDelegated = answer == .set
                case (_, .set): unit.limits.append(name + "=")
                case (_, .unset), (_, .refused): continue  // this manager does not know it
                }
            }
        } catch {
            let late = error.errno == .timedOut
            let why =
                late ? "nothing within \(Self.patience / 1000) s" : error.text.isEmpty ? error.errno.words : error.text
            unit.doubt = "its manager does not say: \(why)"
        }
    }

    /// How long a launch waits for a manager's answers, in milliseconds.
    private static let patience = 5000

    /// What a scope holds back. Each unit has a pids.max, whether or not anybody has asked for one.
    private static func limits(of unit: Unit, below mount: String) -> [String] {
        [
            ("memory.max", "max"), ("memory.high", "max"), ("memory.swap.max", "max"), ("cpu.max", "max 100000"),
            ("io.max", ""),
        ].compactMap { file, open -> String? in
            let words = words(at: mount + unit.path + "/" + file).joined(separator: " ")
            return words.isEmpty || words == open ? nil : file
        }
    }
}

extension ManagerSocket {
    enum Answer: Equatable { case set, unset, refused(String) }

    /// Whether a property of a unit is true, or a list that is not empty; org.freedesktop.systemd1(5).
    mutating func isSet(_ property: String, of unit: ControlGroups.Unit) throws(Failure) -> Answer {
        serial += 1
        var body = BusWriter()
        body.text("org.freedesktop.systemd1." + (unit.isService ? "Service" : "Scope"))
        body.text(property)
        try send(
            BusWriter.call(
                "Get", of: "org.freedesktop.DBus.Properties", at: Self.objectPath(of: unit.name),
                on: "org.freedesktop.systemd1",
                signature: "ss", serial: serial, body: body.bytes))
        while true {
            let message = try receive()
            switch message.kind {
            case .answer where message.answered == serial: return message.isSet ? .set : .unset
            case .error where message.answered == serial: return .refused(message.texts.first ?? "it says no more")
            default: continue
            }
        }
    }

    /// As sd_bus_path_encode(3) has it: what is neither letter nor digit is `_` and its number.
    static func objectPath(of unit: String) -> String {
        // A group whose name could be a file of the kernel's is preceded by `_`.
        let name = unit.hasPrefix("_") ? unit.utf8.dropFirst() : unit.utf8[...]
        var path = "/org/freedesktop/systemd1/unit/"
        for (index, byte) in name.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                path.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "0")...UInt8(ascii: "9") where index > 0: path.unicodeScalars.append(Unicode.Scalar(byte))
            default: path += (byte < 16 ? "_0" : "_") + String(byte, radix: 16)
            }
        }
        return path
    }
}
