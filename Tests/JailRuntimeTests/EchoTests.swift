import JailPlan
import Testing

@testable import JailRuntime

/// What a file of a cgroup says after it was written to: in force, or not.
@Suite struct EchoTests {
    @Test(arguments: [
        ("100", "100\n", true), ("100", "max\n", false), ("100", "", false),
        ("50000 100000", "50000 100000\n", true), ("50000 100000", "max 100000\n", false),
    ]) func same(value: String, answer: String, holds: Bool) {
        #expect(setting(value, .same).isEchoed(by: Array(answer.utf8)) == holds)
    }

    @Test(arguments: [
        ("67108864", "67108864\n", true), ("67108865", "67108864\n", true), ("67108864", "33554432\n", false),
        ("67108864", "67112960\n", false), ("67108864", "max\n", false), ("9223372036854775807", "max\n", true),
    ]) func pages(value: String, answer: String, holds: Bool) {
        #expect(setting(value, .pages).isEchoed(by: Array(answer.utf8)) == holds)
    }

    @Test(arguments: [
        ("8:0 wbps=1024", "8:0 rbps=max wbps=1024 riops=max wiops=max\n", true),
        ("8:0 wbps=1024", "8:16 rbps=max wbps=1024 riops=max wiops=max\n", false),
        ("8:0 wbps=1024", "8:0 rbps=1024 wbps=max riops=max wiops=max\n", false), ("8:0 wbps=1024", "", false),
        ("8:0 50", "default 100\n8:0 50\n", true), ("8:0 50", "default 50\n", false),
        ("default 50", "default 50\n8:0 100\n", true), ("default 50", "default 100\n8:0 50\n", false),
    ]) func line(value: String, answer: String, holds: Bool) {
        #expect(setting(value, .line).isEchoed(by: Array(answer.utf8)) == holds)
    }

    @Test(arguments: [
        ("0,1,2,5", "0-2,5\n", true), ("0,1", "0\n", false), ("0", "\n", false), ("0", "0-1\n", false),
        ("0", "x", false),
    ]) func cpus(value: String, answer: String, holds: Bool) {
        #expect(setting(value, .effective("cpuset.cpus.effective")).isEchoed(by: Array(answer.utf8)) == holds)
    }

    private func setting(_ value: String, _ echo: LimitSetting.Echo) -> LimitSetting {
        LimitSetting(key: "key", file: "file", value: value, echo: echo)
    }
}
