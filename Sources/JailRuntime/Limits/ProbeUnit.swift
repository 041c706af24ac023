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
        if !unit.isDelegated, scope == .unit {
            if unit.manager == .user, manager != nil { ask(&unit) }
            if !unit.isService { unit.limits = limits(of: unit, below: mount) }
        }
        if unit.isDelegated {
            if own?.path == unit.path { own?.isDelegated = true }
            if parent?.path == unit.path { parent?.isDelegated = true }
        }
        self.unit = unit
    }

    private func ask(_ unit: inout Unit) {
        do throws(Failure) {
            unit.isDelegated = try ManagerSocket.isSet("Delegate", of: unit, uid: uid)
        } catch {
            unit.doubt = "its manager does not say: " + (error.text.isEmpty ? error.errno.words : error.text)
        }
    }

    /// What a scope holds back. Each unit has a pids.max, whether or not anybody has asked for one.
    private func limits(of unit: Unit, below mount: String) -> [String] {
        var found = [
            ("memory.max", "max"), ("memory.high", "max"), ("memory.swap.max", "max"), ("cpu.max", "max 100000"),
            ("io.max", ""),
        ].compactMap { file, open -> String? in
            let words = Self.words(at: mount + unit.path + "/" + file).joined(separator: " ")
            return words.isEmpty || words == open ? nil : file
        }
        // Its network is filtered by programs that no file shows, and that only root's manager may install.
        guard uid == 0, unit.manager == .system, manager != nil else { return found }
        for name in ["IPAddressDeny", "IPIngressFilterPath", "IPEgressFilterPath", "RestrictNetworkInterfaces"] {
            do throws(Failure) {
                if try ManagerSocket.isSet(name, of: unit, uid: uid) { found.append(name + "=") }
            } catch {
                continue  // this manager does not know it
            }
        }
        return found
    }
}

extension ManagerSocket {
    /// Whether a property of a unit is true, or a list that is not empty; org.freedesktop.systemd1(5).
    static func isSet(_ property: String, of unit: ControlGroups.Unit, uid: UInt32) throws(Failure) -> Bool {
        var socket = try ManagerSocket.open(uid: uid)
        var body = BusWriter()
        body.text("org.freedesktop.systemd1." + (unit.isService ? "Service" : "Scope"))
        body.text(property)
        try socket.send(
            BusWriter.call(
                "Get", of: "org.freedesktop.DBus.Properties", at: objectPath(of: unit.name),
                on: "org.freedesktop.systemd1",
                signature: "ss", serial: 1, body: body.bytes))
        while true {
            let message = try socket.receive()
            switch message.kind {
            case .answer where message.answered == 1: return message.isSet
            case .error where message.answered == 1:
                throw Failure(.scopeRefused, text: message.texts.first ?? "it says no more")
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
