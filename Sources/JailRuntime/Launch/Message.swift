import Kernel

/// What crosses the channel between the launcher and the jail: a byte that names the kind, then a few more.
enum Message: Sendable {
    /// To the jail: what that step is for has been done outside, go on.
    case done(step: Int)
    /// To the process outside of a direct launch: the launcher has come to that step, and waits for it.
    case reached(step: Int)
    /// To the reaper: pass this signal to the command.
    case forward(Int32)
    /// To the reaper: the same for all of the command's process group, as a terminal sends it.
    case typed(Int32)
    /// To the reaper: the command's process group is the one in the foreground of the jail's terminal.
    case foreground
    /// To the reaper: end the jail after so long, unless told otherwise (nil); the launcher is stopped until then.
    case alarm(milliseconds: Int32?)
    /// To the launcher: a step failed; nothing of the command ran.
    case failed(Failure)
    /// To the launcher: the reaper cannot go on, and the jail ends with it; the command has run.
    case lost(Failure)
    /// To the launcher: a mount's source was missing and it was skipped.
    case skipped(step: Int)
    /// To the launcher, with a descriptor: the master of the jail's terminal.
    case terminal
    /// To the launcher: the command stopped, or ended.
    case changed(Termination)

    /// To the launcher, with a descriptor: the listener of the filter, and the id of the command inside (0: it is the
    /// jail's first process). The first byte is also known to linux_vfork_listening.
    case listener(command: Int32)
    /// To the launcher: the filter has no listener, for this reason.
    case unheard(Errno)

    /// To the launcher, with a descriptor that it is to hold as long as the jail lives: what that step has locked, or
    /// (`isShown`) a directory that is looked at when the jail has ended.
    case held(step: Int, isShown: Bool)

    /// To the launcher, with a descriptor: the image of that slot is mounted, and what the kernel asks of its server is asked there.
    case mounted(slot: Int)

    /// To the launcher: the command has been executed.
    case running
    /// To the launcher: the mounts, by the numbers of mountinfo, that must stay where these steps put them; with the last of
    /// such messages a descriptor of the jail's mountinfo.
    case covers([(step: Int, mount: UInt32)])
    /// To the launcher: the command's user may not write to what that step has put in place, which belongs to `owner`.
    case unwritable(step: Int, owner: UInt32)
    /// To the launcher: that is full as the command ends.
    case full(FullRoom)

    /// To the launcher, with a descriptor: the jail's notify socket, which nobody in the jail reads.
    case notices

    static let listenerKind: UInt8 = 10

    /// The most bytes a message has.
    static let limit = 1024
    /// The most covers in one.
    static let coverLimit = 160

    var bytes: [UInt8] {
        switch self {
        case .done(let step): return [1] + Self.number(step)
        case .reached(let step): return [13] + Self.number(step)
        case .forward(let signal): return [2, UInt8(truncatingIfNeeded: signal)]
        case .typed(let signal): return [16, UInt8(truncatingIfNeeded: signal)]
        case .foreground: return [15]
        case .failed(let failure): return Self.bytes(of: failure, kind: 3)
        case .lost(let failure): return Self.bytes(of: failure, kind: 12)
        case .skipped(let step): return [4] + Self.number(step)
        case .terminal: return [5]
        case .alarm(let milliseconds): return [9] + Self.word(milliseconds ?? -1)
        case .covers(let covers):
            return [18] + covers.flatMap { Self.number($0.step) + Self.word(Int32(bitPattern: $0.mount)) }
        case .listener(let command): return [Self.listenerKind] + Self.word(command)
        case .unheard(let errno): return [11, UInt8(truncatingIfNeeded: errno.rawValue)]
        case .held(let step, let isShown): return [14] + Self.number(step) + [isShown ? 1 : 0]
        case .mounted(let slot): return [21] + Self.number(slot)
        case .running: return [17]
        case .notices: return [22]
        case .unwritable(let step, let owner): return [19] + Self.number(step) + Self.word(Int32(bitPattern: owner))
        case .full(let room): return [20] + Self.number(room.step) + [room.isOfFiles ? 1 : 0]
        case .changed(.exited(let status)): return [6, UInt8(truncatingIfNeeded: status)]
        case .changed(.signaled(let signal)): return [7, UInt8(truncatingIfNeeded: signal)]
        case .changed(.stopped(let signal)): return [8, UInt8(truncatingIfNeeded: signal)]
        }
    }

    /// nil for bytes that no end of ours sends.
    init?(_ bytes: [UInt8]) {
        guard let kind = bytes.first else { return nil }
        func byte(_ index: Int) -> Int32 { index < bytes.count ? Int32(bytes[index]) : 0 }
        func word(from first: Int = 1) -> Int32 {
            Int32(bitPattern: (first..<(first + 4)).reduce(UInt32(0)) { $0 << 8 | UInt32(bitPattern: byte($1)) })
        }
        switch kind {
        case 1: self = .done(step: Int(byte(1)) << 8 | Int(byte(2)))
        case 13: self = .reached(step: Int(byte(1)) << 8 | Int(byte(2)))
        case 2: self = .forward(byte(1))
        case 16: self = .typed(byte(1))
        case 15: self = .foreground
        case 3, 12:
            guard bytes.count >= 6, let cause = Cause(rawValue: bytes[1]), let call = Call(rawValue: bytes[2]) else {
                return nil
            }
            var failure = Failure(
                cause, call: call, errno: Errno(rawValue: byte(3)), text: String(decoding: bytes[6...], as: UTF8.self))
            // −1, outside of every step, crosses as 0.
            failure.step = (Int(byte(4)) << 8 | Int(byte(5))) - 1
            self = kind == 3 ? .failed(failure) : .lost(failure)
        case 4: self = .skipped(step: Int(byte(1)) << 8 | Int(byte(2)))
        case 5: self = .terminal
        case 17: self = .running
        case 22: self = .notices
        case 6: self = .changed(.exited(byte(1)))
        case 7: self = .changed(.signaled(byte(1)))
        case 8: self = .changed(.stopped(byte(1)))
        case 9:
            let milliseconds = word()
            self = .alarm(milliseconds: milliseconds < 0 ? nil : milliseconds)
        case 18:
            self = .covers(
                stride(from: 1, to: bytes.count - 5, by: 6).map { place in
                    let mount = (2...5).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[place + $1]) }
                    return (Int(bytes[place]) << 8 | Int(bytes[place + 1]), mount)
                })
        case Self.listenerKind: self = .listener(command: word())
        case 14: self = .held(step: Int(byte(1)) << 8 | Int(byte(2)), isShown: byte(3) != 0)
        case 19: self = .unwritable(step: Int(byte(1)) << 8 | Int(byte(2)), owner: UInt32(bitPattern: word(from: 3)))
        case 20: self = .full(FullRoom(step: Int(byte(1)) << 8 | Int(byte(2)), isOfFiles: byte(3) != 0))
        case 21: self = .mounted(slot: Int(byte(1)) << 8 | Int(byte(2)))
        case 11: self = .unheard(Errno(rawValue: byte(1)))
        default: return nil
        }
    }

    private static func bytes(of failure: Failure, kind: UInt8) -> [UInt8] {
        let text = failure.text.utf8.prefix(limit - 16)
        return [
            kind, failure.cause.rawValue, failure.call.rawValue, UInt8(truncatingIfNeeded: failure.errno.rawValue),
        ]
            + number(failure.step + 1) + Array(text)
    }

    private static func word(_ value: Int32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static func number(_ value: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
    }
}
