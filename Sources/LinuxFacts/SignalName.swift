/// The names of signal(7), as x86-64 and aarch64 number them.
package enum SignalName {
    /// By number, from 1.
    package static let all = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM",
        "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
        "IO",
        "PWR", "SYS",
    ]
    /// SIGRTMIN of libc, which keeps two for itself, and SIGRTMAX.
    package static let realTime: ClosedRange<Int32> = 34...64

    /// The number of `SIGTERM` or `SIGRTMIN+3`; nil for anything else.
    package static func number(_ name: String) -> Int32? {
        guard name.utf8.starts(with: "SIG".utf8) else { return nil }
        let rest = String(name.dropFirst(3))
        if let place = all.firstIndex(where: { $0.utf8.elementsEqual(rest.utf8) }) { return Int32(place) + 1 }
        for (word, base) in [("RTMIN", realTime.lowerBound), ("RTMAX", realTime.upperBound)] {
            guard rest.utf8.starts(with: word.utf8) else { continue }
            let offset = rest.dropFirst(5)
            let sign: Character = word == "RTMIN" ? "+" : "-"
            if offset.isEmpty { return base }
            let digits = offset.utf8.dropFirst()
            guard offset.first == sign, (1...2).contains(digits.count),
                digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let distance = Int32(offset.dropFirst())
            else { return nil }
            let number = sign == "+" ? base + distance : base - distance
            return realTime.contains(number) ? number : nil
        }
        return nil
    }

    /// `SIGTERM`, `SIGRTMIN+3`; the number of one that has no name.
    package static func name(_ number: Int32) -> String {
        if number > 0, number <= all.count { return "SIG" + all[Int(number) - 1] }
        guard realTime.contains(number) else { return "\(number)" }
        return number == realTime.lowerBound ? "SIGRTMIN" : "SIGRTMIN+\(number - realTime.lowerBound)"
    }
}
