package import JailSpec
package import SpecFile

extension Unit {
    /// How systemd learns that a service has started, `Type=` of systemd.service(5).
    package enum Kind: String, CaseIterable, Sendable { case simple, exec, notify, oneshot }

    /// What is asked of a unit beside its spec.
    package struct Options: Sendable {
        /// Whether it is for the manager of a user.
        package var isUsers = false
        /// Where the manager makes the directories of each directive, if not where the system's does.
        package var parents: [String: String] = [:]
        /// In place of the type that the spec suggests.
        package var kind: Kind?
        /// The files that the spec was read from, absolute: the launcher must see them.
        package var files: [String] = []
        /// The unit that is to be started in a jail by a drop-in.
        package var over: ForeignUnit?

        package init() {}

        /// Why the spec does not go with it; nil where it does.
        package func fault(of spec: Spec) -> Diagnostic? {
            guard case .notify? = kind, case .none = spec.service.notify.value else { return nil }
            return Diagnostic(
                "--type notify: nothing of the jail would tell systemd that it has started",
                at: spec.service.notify.position,
                hint: "set service.notify = \"exec\", for a command that does not say so itself")
        }
    }

    /// A timer that starts the service of that name when `calendar` says, systemd.time(7).
    package static func timer(for name: String, at calendar: String) throws(Rejection) -> String {
        guard UnitForm.isCalendar(calendar) else {
            throw Rejection([
                Diagnostic(
                    "--timer \(quoted(calendar)): no calendar event of systemd.time(7)", at: nil,
                    hint: "write it as daily, \"Mon..Fri 10:00\" or \"*-*-01 03:00\"")
            ])
        }
        var file = UnitFileText()
        file.section("Unit")
        file.add("Description", "Starts \(plain: name) in a jail of immure")
        file.section("Timer")
        file.add("OnCalendar", "\(plain: calendar)")
        file.add("Persistent", "yes", nil, "what was missed while the machine was off is made up for")
        file.section("Install")
        file.add("WantedBy", "timers.target")
        return try file.text()
    }

    /// The sockets that the service of that name is given, systemd.socket(5): specifiers of an address are systemd's.
    package static func socket(for name: String, at addresses: [String]) throws(Rejection) -> String {
        let faults = addresses.filter { !UnitForm.isSocket($0) }
        guard faults.isEmpty else {
            throw Rejection(
                faults.map { address in
                    Diagnostic(
                        "--socket \(quoted(address)): nothing that ListenStream= of systemd.socket(5) takes", at: nil,
                        hint: "write it as /run/name.sock, @name, 8080, 127.0.0.1:8080 or [::1]:8080")
                })
        }
        var file = UnitFileText()
        file.section("Unit")
        file.add("Description", "The sockets of \(plain: name)")
        file.section("Socket")
        for address in addresses { file.add("ListenStream", "\(specified: address)") }
        file.section("Install")
        file.add("WantedBy", "sockets.target")
        return try file.text()
    }
}
