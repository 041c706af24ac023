import JailPlan
import Kernel

extension ServiceOffer {
    /// What the caller's environment says. Sockets and watchdog are the launcher's only where they name its process, as
    /// sd_listen_fds(3) and sd_watchdog_enabled(3) have it: a shell in between would have inherited them.
    static func ofCaller() -> ServiceOffer {
        var offer = ServiceOffer()
        let own = "\(currentProcess())"
        offer.notifySocket = filled("NOTIFY_SOCKET")
        if let interval = filled("WATCHDOG_USEC"), environmentVariable("WATCHDOG_PID") ?? own == own {
            offer.watchdog = interval
        }
        if let count = filled("LISTEN_FDS"), environmentVariable("LISTEN_PID") == own {
            // What is not open cannot be passed on, however high the number.
            var open: Int32 = 0
            let wanted = Int32(count) ?? 0
            while open < wanted, isOpen(3 + open) { open += 1 }
            if open == wanted { offer.socketCount = open }
            offer.socketNames = filled("LISTEN_FDNAMES")
        }
        offer.credentials = filled("CREDENTIALS_DIRECTORY")
        return offer
    }

    private static func filled(_ name: String) -> String? {
        guard let value = environmentVariable(name), !value.isEmpty else { return nil }
        return value
    }
}
