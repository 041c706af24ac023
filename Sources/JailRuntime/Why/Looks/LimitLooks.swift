import JailPlan
import JailSpec
import Kernel
import SpecFile

/// Looks at a call for a limit of getrlimit(2) that a line of the spec sets and that it would exceed: what the limit is now, and
/// what there is of what it counts.
struct LimitLooks {
    let scene: JailScene
    let proc: HostProc

    private typealias Row = (limit: Resource, calls: [String])

    private static let rows: [Row] = [
        (
            .nofile,
            [
                "open", "creat", "openat", "openat2", "socket", "socketpair", "accept", "accept4", "pipe", "pipe2",
                "dup",
                "epoll_create", "epoll_create1", "eventfd", "eventfd2", "memfd_create", "timerfd_create", "signalfd",
                "signalfd4", "inotify_init", "inotify_init1", "pidfd_open",
            ]
        ),
        (.nproc, ["fork", "vfork", "clone"]),
        (.as, ["mmap", "mremap"]), (.data, ["mmap", "mremap"]),
        (.fsize, ["write", "pwrite64", "ftruncate", "fallocate"]),
    ]

    /// The calls by which a limit of the plan may be reached.
    static func names(_ plan: Plan) -> [String] {
        let written = plan.steps.compactMap { step -> Resource? in
            if case .limits(.setResourceLimit(let resource, _, _)) = step.operation { resource } else { nil }
        }
        return rows.filter { written.contains($0.limit) }.flatMap(\.calls)
    }

    func look(_ question: Question, _ name: String, _ thread: ThreadState) -> Denial? {
        if scene.limits.isEmpty { return nil }
        for row in Self.rows where row.calls.contains(name) {
            guard let origin = scene.limits[row.limit] else { continue }
            do throws(KernelError) {
                guard let limit = try thread.limit(row.limit) else { continue }
                let wanted = try wanted(row.limit, question, name, thread)
                if wanted > limit { return Denial(row.limit, limit, wanting: wanted, at: origin) }
            } catch {
                continue  // whoever made it is gone
            }
        }
        return nil
    }

    /// What it would be of what the limit counts after the call.
    private func wanted(
        _ limit: Resource, _ question: Question, _ name: String, _ thread: ThreadState
    ) throws(KernelError) -> UInt64 {
        switch limit {
        case .nofile: try thread.openFiles() + 1
        case .nproc: try thread.tasksOfUser() + 1
        case .as: try thread.size(.address) + growth(question, name)
        // Private memory that may be written to, mmap(2).
        case .data where name == "mremap" || question.arguments[2] & 2 != 0 && question.arguments[3] & 2 != 0:
            try thread.size(.data) + growth(question, name)
        case .fsize: try end(question, name, thread)
        default: 0
        }
    }

    private func growth(_ question: Question, _ name: String) -> UInt64 {
        let (old, new) = name == "mmap" ? (0, question.arguments[1]) : (question.arguments[1], question.arguments[2])
        return new > old ? min(new - old, 1 << 62) : 0
    }

    /// Where what is written would end.
    private func end(_ question: Question, _ name: String, _ thread: ThreadState) throws(KernelError) -> UInt64 {
        let words = question.arguments
        guard let place = try thread.placeToWrite(Int32(truncatingIfNeeded: words[0])) else { return 0 }
        let (start, count): (UInt64, UInt64) =
            switch name {
            case "pwrite64": (words[3], words[2])
            case "ftruncate": (words[1], 0)
            case "fallocate": (words[2], words[3])
            default: (place, words[2])
            }
        return min(start, 1 << 62) + min(count, 1 << 62)
    }
}

extension Denial {
    /// A limit that was reached, with a line that gives twice of it, or of what was wanted; 0 where that was not seen. How much the command
    /// takes in the end nothing says: it was kept from going on.
    init(_ limit: Resource, _ value: UInt64, wanting wanted: UInt64, at origin: Position?) {
        let key = "rlimits.\(limit.name)"
        func words(_ value: UInt64) -> String {
            limit.isCountedInBytes ? Outcome.size(Int(clamping: value)) : "\(value)"
        }
        let (now, next) = (words(value), Self.next(value, wanted))
        let more = wanted == 0 ? "" : ", and it wanted \(words(wanted))"
        let guess = next == nil ? "" : "; the line is a guess, as what comes after was not seen"
        self.init(
            .limit, key, remark: now + (origin.map { " by \($0)" } ?? "") + more + guess,
            line: next.map { "\(key) = \(limit.isCountedInBytes ? "\"\(Self.exact($0))\"" : "\($0)")" })
    }

    /// Twice as much, until that is twice of what was wanted; nil where no number is.
    private static func next(_ value: UInt64, _ wanted: UInt64) -> UInt64? {
        var next = max(value, 1)
        repeat {
            guard next < 1 << 60 else { return nil }
            next *= 2
        } while next / 2 < wanted
        return next
    }

    /// A number of bytes as the spec has it, none lost.
    private static func exact(_ bytes: UInt64) -> String {
        let unit = [("G", 30), ("M", 20), ("K", 10)].first { bytes % (1 << $0.1) == 0 }
        return unit.map { "\(bytes >> $0.1)\($0.0)" } ?? "\(bytes)"
    }
}

extension Resource {
    fileprivate var isCountedInBytes: Bool {
        switch self {
        case .as, .data, .fsize: true
        default: false
        }
    }
}

extension ThreadState {
    /// The soft limit as it is now, proc_pid_limits(5); nil for none.
    fileprivate func limit(_ resource: Resource) throws(KernelError) -> UInt64? {
        let title: String
        switch resource {
        case .nofile: title = "Max open files"
        case .nproc: title = "Max processes"
        case .as: title = "Max address space"
        case .data: title = "Max data size"
        case .fsize: title = "Max file size"
        default: return nil
        }
        let line = try text("limits").split(separator: "\n").first { $0.hasPrefix(title) }
        return line.flatMap { UInt64($0.dropFirst(title.utf8.count).split(separator: " ").first ?? "") }
    }

    fileprivate enum Size: String {
        case address = "VmSize:"
        case data = "VmData:"
    }

    /// In bytes, proc_pid_status(5).
    fileprivate func size(_ size: Size) throws(KernelError) -> UInt64 {
        let line = try text("status").split(separator: "\n").first { $0.hasPrefix(size.rawValue) }
        return (line.flatMap { $0.split { $0 == "\t" || $0 == " " }.dropFirst().first.flatMap { UInt64($0) } } ?? 0)
            * 1024
    }
}
