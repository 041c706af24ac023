import JailPlan
import Kernel

/// A scope unit for this launch, as `systemd-run --scope -p Delegate=yes` makes one: org.freedesktop.systemd1(5).
enum Scope {
    /// Asks the manager and waits until this process is in the scope: no longer than the command may run, and not after a signal
    /// that ends the launch. The manager removes it when the last process in it has ended.
    static func enter(within timeout: Duration?, noticing signals: SignalQueue?) throws(Failure) {
        let patience = timeout.map { max(1, Deadline.nanoseconds($0) / 1_000_000) } ?? ManagerSocket.defaultPatience
        var socket = try ManagerSocket.open(
            uid: Caller.userID, within: min(patience, ManagerSocket.defaultPatience), noticing: signals)
        let name = "immure-\(currentProcess())-\(monotonicNanoseconds()).scope"
        try socket.send(request(name))
        var job: String?
        // The job may end before the answer that names it has come.
        var ended: [(job: String, result: String)] = []
        while true {
            let message = try socket.receive()
            switch message.kind {
            case .answer where message.answered == 1: job = message.texts.first ?? ""
            case .error where message.answered == 1:
                throw Failure(.scopeRefused, text: message.texts.first ?? "it says no more")
            case .signal where message.member == "JobRemoved" && message.texts.count >= 3:
                ended.append((message.texts[0], message.texts[2]))
            default: continue
            }
            guard let job, let (_, result) = ended.first(where: { $0.job == job }) else { continue }
            guard result == "done" else { throw Failure(.scopeRefused, text: "the job's result is \(result)") }
            return
        }
    }

    private static func request(_ name: String) -> [UInt8] {
        var body = BusWriter()
        body.text(name)
        body.text("fail")
        body.array(of: 8) { properties in
            properties.property("Description", "s") { $0.text("immure") }
            properties.property("Delegate", "b") { $0.number(1) }
            // A scope whose jail was killed for memory has failed; nobody is to clear it by hand.
            properties.property("CollectMode", "s") { $0.text("inactive-or-failed") }
            properties.property("PIDs", "au") { list in
                list.array(of: 4) { $0.number(UInt32(bitPattern: currentProcess())) }
            }
        }
        body.array(of: 8) { _ in }
        return BusWriter.call(
            "StartTransientUnit", of: "org.freedesktop.systemd1.Manager", at: "/org/freedesktop/systemd1",
            on: "org.freedesktop.systemd1", signature: "ssa(sv)a(sa(sv))", serial: 1, body: body.bytes)
    }
}
