import JailLearn
import Testing

/// What a run in the jail says of a spec, held to the run that was watched and to a second one outside.
@Suite struct RunComparisonTests {
    fileprivate struct Run {
        var status: Int32 = 0
        var output = ""
        var errors = ""
        var changed: Set<String> = []
        var made: Set<String> = []

        var trace: RunTrace {
            var (output, errors) = (RunText(), RunText())
            output.take(Array(self.output.utf8))
            errors.take(Array(self.errors.utf8))
            return RunTrace(status: status, output: output, errors: errors, changed: changed, made: made)
        }
    }

    private func verdict(_ first: Run, inside: Run, again: Run) -> RunVerdict {
        let comparison = RunComparison(first: first.trace, inside: inside.trace)
        return comparison.early ?? comparison.verdict(with: again.trace)
    }

    @Test func `a run that says and changes the same needs no other`() {
        let run = Run(status: 3, output: "x\n", changed: ["/w/a"])
        #expect(RunComparison(first: run.trace, inside: run.trace).early == .same("its status and output are the same"))
        for other in [
            Run(status: 4, output: "x\n", changed: ["/w/a"]), Run(status: 3, output: "y\n", changed: ["/w/a"]),
            Run(status: 3, output: "x\n", errors: "e\n", changed: ["/w/a"]), Run(status: 3, output: "x\n"),
        ] {
            #expect(RunComparison(first: run.trace, inside: other.trace).early == nil)
        }
    }

    /// A build that is up to date, a commit of nothing, a clone into what is there.
    @Test(arguments: [
        (Run(output: "cp in m\n", changed: ["/w/m"]), Run(output: "make: 'm' is up to date.\n")),
        (Run(output: "cp in m\n"), Run(output: "make: 'm' is up to date.\n")),
        (Run(output: "[main 1] x\n", changed: ["/w/m"]), Run(status: 1, output: "nothing to commit\n")),
        (Run(changed: ["/w/m"]), Run(status: 128, errors: "fatal: exists\n")), (Run(changed: ["/w/m"]), Run()),
        (Run(output: "a\nb: c\nd (e)\n"), Run(output: "a\n")),
    ])
    fileprivate func `a second run that does something else verifies nothing`(first: Run, later: Run) {
        guard case .unlike = verdict(first, inside: later, again: later) else {
            Issue.record("\(verdict(first, inside: later, again: later))")
            return
        }
    }

    /// As mktemp(1) and Python's tempfile make them.
    @Test(arguments: [
        ("./out.72Zo1f", "./out.Ftxwly", "out.72Zo1f"),
        ("made tmp.450ZHqzWRq: 2", "made tmp.pBE7gA7SWB: 2", "tmp.450ZHqzWRq"),
        ("/tmp/tmpab_cdefg x", "/tmp/tmpqq7pz_zz x", "tmpab_cdefg"),
    ])
    fileprivate func `a name that each run makes anew is the command's own`(first: String, again: String, name: String)
    {
        func verdict(_ made: Set<String>) -> RunVerdict {
            self.verdict(
                Run(output: first + "\n", made: made), inside: Run(output: "other\n"), again: Run(output: again + "\n"))
        }
        #expect(verdict([name]) == .same("its status and output are the same, but for what differs outside as well"))
        guard case .unlike = verdict([]) else {
            Issue.record("\(verdict([]))")
            return
        }
    }

    @Test func `what stands beside a name that was made counts`() {
        for other in ["removed out.Ftxwly", "made out.Ftxwl", "made out-Ftxwly", "made out.Ftx/ly"] {
            let made = verdict(
                Run(output: "made out.72Zo1f\n", made: ["out.72Zo1f"]), inside: Run(output: other + "\n"),
                again: Run(output: other + "\n"))
            guard case .unlike = made else {
                Issue.record("\(other): \(made)")
                continue
            }
        }
    }

    @Test func `what differs outside as well is the command's own`() {
        let first = Run(output: "pid 41\nsame\n")
        #expect(
            verdict(first, inside: Run(output: "pid 2\nsame\n"), again: Run(output: "pid 77\nsame\n"))
                == .same("its status and output are the same, but for what differs outside as well"))
        #expect(
            verdict(first, inside: Run(output: "pid 77\nsame\n"), again: Run(output: "pid 77\nsame\n"))
                == .same("its status and output are the same as in a second run outside"))
    }

    @Test func `what does not is the jail's`() {
        let first = Run(output: "pid 41\nsame\n")
        #expect(
            verdict(first, inside: Run(output: "pid 2\nother\n"), again: Run(output: "pid 77\nsame\n"))
                == .different("its standard output differs at line 2: other"))
        #expect(
            verdict(first, inside: Run(status: 1, errors: "no\n"), again: first)
                == .different("its status is 1, not 0: no"))
    }

    @Test func `what the jail leaves alone, and a second run outside does not, is a difference`() {
        let run = Run(changed: ["/w/a", "/w/b"])
        #expect(
            verdict(run, inside: Run(changed: ["/w/a"]), again: run)
                == .different("it leaves alone what it changes outside, as \"/w/b\""))
    }

    @Test func `what only the first run has changed was not tried, which is said`() {
        let first = Run(output: "x\n", changed: ["/w/a", "/w/once"])
        let later = Run(output: "x\n", changed: ["/w/a"])
        let tail = "; not tried: what only its first run has changed, as "
        #expect(
            verdict(first, inside: later, again: later)
                == .same("its status and output are the same\(tail)\"/w/once\""))
        let idle = Run(output: "x\n")
        #expect(
            verdict(first, inside: idle, again: idle)
                == .partly("its status and output are the same\(tail)\"/w/a\""))
    }

    @Test(arguments: [
        ("1234\n", "98\n"), ("at 12:41:08\n", "at 12:41:09\n"),
        ("== 1 passed in 0.1s ==\n", "=== 1 passed in 12.0s ===\n"), ("one\ntwo: 3\n", "one\n"),
    ])
    func `numbers and times make no other sentence`(one: String, other: String) {
        #expect(
            verdict(Run(output: one), inside: Run(output: other), again: Run(output: other))
                == .same("its status and output are the same as in a second run outside"))
    }

    @Test func `what a jail has of its own is no change`() {
        let context = LearnContext(command: ["make"], current: "/w")
        let records: Set<AccessRecord> = [
            AccessRecord(.make, "/tmp/x"), AccessRecord(.make, "/w/m"), AccessRecord(.read, "/w/in"),
            AccessRecord(.write, "/dev/tty"), AccessRecord(.write, "/etc/x"), AccessRecord(.replace, "/w/a"),
            AccessRecord(.make, "/w/a"), AccessRecord(.write, "/proc/self/comm"),
        ]
        #expect(changedPaths(records, context) == ["/etc/x", "/w/a", "/w/m"])
    }
}
