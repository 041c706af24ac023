"""build.toml with tools that take a whole project in hand: cargo, Maven and SwiftPM, each offline."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.must import cannot


def project(caller, work, files):
    for name, text in files.items():
        place = work / name
        for parent in reversed(place.relative_to(work).parents):
            caller.directory(work / parent)
        caller.file(place, text)


def output(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


CRATE = {
    "Cargo.toml": '[package]\nname = "main"\nversion = "1.0.0"\nedition = "2021"\n\n'
    '[dependencies]\nanswer = { path = "answer" }\n\n[workspace]\n',
    "build.rs": 'fn main() { println!("cargo:rustc-env=TOLD={}", 6 * 7); }\n',
    "src/main.rs": 'fn main() { println!("{} {}", answer::get(), env!("TOLD")); }\n',
    "answer/Cargo.toml": '[package]\nname = "answer"\nversion = "1.0.0"\nedition = "2021"\n',
    "answer/src/lib.rs": "pub fn get() -> i32 { 42 }\n#[test]\nfn is_right() { assert_eq!(get(), 42); }\n",
}


def test_cargo(caller, work, tool):
    """A crate with a build script and another crate beside it; the tests of both, and a second build that has nothing to do."""
    cargo = tool("cargo")
    project(caller, work, CRATE)
    done = caller.jail("build.toml", cargo, "test", "--offline", "--workspace", cwd=work)
    assert "test is_right ... ok" in done.stdout, done
    caller.jail("build.toml", cargo, "build", "--offline", "--release", cwd=work)
    assert output(work / "target/release/main") == "42 42\n"
    again = caller.jail("build.toml", cargo, "build", "--offline", "--release", cwd=work)
    assert "Compiling" not in again.stderr and "Finished" in again.stderr, again


POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>answer</groupId>
  <artifactId>answer</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.x</version><scope>test</scope></dependency>
  </dependencies>
</project>
"""
JAVA = {
    "pom.xml": POM,
    "src/main/java/Answer.java": "public class Answer {\n    static int get() { return 42; }\n"
    "    public static void main(String[] words) { System.out.println(get()); }\n}\n",
    "src/test/java/AnswerTest.java": "import static org.junit.Assert.assertEquals;\n\npublic class AnswerTest {\n"
    "    @org.junit.Test public void isRight() { assertEquals(42, Answer.get()); }\n}\n",
}


def test_maven(caller, work, tool):
    """From source to an archive, with a test, by the plugins that Debian has below /usr."""
    mvn = tool("mvn")
    if not Path("/usr/share/maven-repo/org/apache/maven/plugins/maven-surefire-plugin").is_dir():
        cannot("build with Maven: its plugins are not installed")
    project(caller, work, JAVA)
    offline = [mvn, "-o", "-B", "-Dmaven.repo.local=/usr/share/maven-repo"]
    done = caller.jail("build.toml", *offline, "package", cwd=work, timeout=300)
    assert "Tests run: 1, Failures: 0, Errors: 0" in done.stdout and "BUILD SUCCESS" in done.stdout, done
    assert output("java", "-cp", work / "target/answer-1.jar", "Answer") == "42\n"


PACKAGE = """// swift-tools-version:5.9
import PackageDescription

let targets: [Target] = [.target(name: "Answer"), .executableTarget(name: "main", dependencies: ["Answer"])]
let package = Package(name: "main", targets: targets)
"""
SWIFT = {
    "Package.swift": PACKAGE,
    "Sources/Answer/Answer.swift": "public func answer() -> Int { 42 }\n",
    "Sources/main/main.swift": "import Answer\n\nprint(answer())\n",
}


@pytest.fixture
def toolchain():
    """The directory that has usr/bin/swift, wherever it was unpacked."""
    found = shutil.which(os.environ.get("SWIFT", "swift")) or shutil.which("/opt/swift/usr/bin/swift")
    if not found:
        cannot("build with SwiftPM: there is no Swift")
    return Path(found).parent.resolve().parents[1]


def test_swiftpm(caller, work, toolchain):
    """A toolchain that lies anywhere is shown by one line. SwiftPM makes no jail of its own on Linux."""
    project(caller, work, SWIFT)
    shown = ["--set", f'filesystem.ro=["{toolchain}"]'] if toolchain != Path("/") else []
    built = ["immure", "run", *shown, caller.spec("build.toml"), "--", toolchain / "usr/bin/swift", "build"]
    caller.run(*built, cwd=work, timeout=300)
    assert caller.run("immure", "run", *shown, caller.spec("build.toml"), "--", ".build/debug/main", cwd=work).stdout == "42\n"
