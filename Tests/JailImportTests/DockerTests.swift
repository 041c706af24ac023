import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

@Suite struct DockerTests {
    private func draft(_ line: String, in directory: String? = nil, files: [String: String] = [:]) -> Draft {
        let context = ImportContext(
            read: { files[$0].map { Array($0.utf8) } }, exists: { files[$0] != nil })
        return DockerImport.draft(line.split(separator: " ").map(String.init), in: directory, context)
    }

    @Test func `the options become lines over the unpacked image`() throws {
        let spec = try draft(
            "docker run --rm -itv /srv/d:/data:ro -eA=1 --env B -m 512m --cpus=1.5 --pids-limit 9 --cap-add NET_RAW "
                + "-u 5:6 -w /app -p 8080:80 --ulimit nofile=7 --add-host=db:10.0.0.2 --tmpfs /x:size=1m,mode=700 a:1 sh -c x"
        ).spec
        #expect(spec.filesystem.root.value == .directory("/work/image/rootfs") && spec.filesystem.changes != nil)
        #expect(spec.command?.value == ["sh", "-c", "x"] && spec.cwd.value == "/app")
        let data = try #require(spec.mount(at: "/data"))
        #expect(data.source == .bind("/srv/d") && data.options.asked == .readOnly && data.create?.isDirectory == true)
        #expect(spec.mount(at: "/x")?.source == .tmpfs(size: 1 << 20, inodes: nil, mode: 0o700))
        #expect(spec.mount(at: "/etc/hosts") != nil && spec.environment.keep.map(\.value) == ["B"])
        #expect(spec.limits?.value.memory?.value == 512 << 20 && spec.limits?.value.pids?.value == 9)
        #expect(spec.network.mode?.value == .user && spec.rlimits.first?.soft == 7)
    }

    @Test func `every option without a line has its reason`() throws {
        let made = draft(
            "run --gpus all --privileged -v named:/v --network other --storage-opt size=1G --restart always --cap-drop ALL -d x"
        )
        #expect(made.faults.isEmpty)
        let left = made.notes.filter { $0.kind == .lost }
        #expect(left.count == 4 && left.allSatisfy { !$0.reason.isEmpty })
        #expect(made.directives(.lostRestriction) == ["--storage-opt size=1G"] && made.hasLostRestrictions)
        #expect(made.directives(.outside).contains("--restart always"))
        #expect(
            made.said(.warning).contains { $0.contains("docker save -o image.tar x && immure import oci image.tar") })
    }

    @Test func `what is read-only for docker stays so`() throws {
        let made = draft(
            "run --mount type=bind,src=/a,dst=/a,ReadOnly=TRUE --mount type=bind,src=/b,dst=/b,ro=0,bind-nonrecursive "
                + "--mount type=tmpfs,dst=/c,readonly --tmpfs /d --tmpfs /e:noexec,exec --tmpfs /tmp x")
        let spec = try made.spec
        func options(_ target: String) -> MountOptions? { spec.mount(at: target)?.options }
        #expect(options("/a")?.asked == .readOnly && options("/b")?.asked == [] && options("/b")?.isRecursive == false)
        #expect(options("/c")?.asked == .readOnly | .noExecute && options("/d")?.asked == .noExecute)
        #expect(options("/e")?.asked == [] && options("/tmp")?.asked == .noExecute)
        #expect(
            draft("run --mount type=bind,src=/a,dst=/a,readonly=yes x").faults.map(\.message) == [
                "readonly: \"yes\" is not true or false"
            ])
    }

    @Test func `a device is below dev, and may be written to`() throws {
        for words in ["/srv", "/srv:/dev/x", "/dev/x:/srv", "/dev/../srv", "/dev"] {
            #expect(draft("run --device \(words) x").faults.count == 1, "\(words)")
        }
        #expect(draft("run --device /dev/fuse:r x").hasLostRestrictions)
        let mount = try draft("run --device /dev/fuse:/dev/f:rwm x").spec.mount(at: "/dev/f")
        #expect(mount?.source == .bind("/dev/fuse") && mount?.device == .any)
    }

    @Test func `a network of the engine's becomes one that leads out, and what is lost of it is said`() throws {
        func made(_ line: String) throws -> (mode: Network.Mode?, lost: [String], said: [String]) {
            let made = draft("run \(line) x")
            let lost = made.notes.filter { $0.kind == .lost }.map(\.reason)
            return (try made.spec.network.mode?.value, lost, made.said(.warning))
        }
        let backend = try made("--network backend")
        #expect(
            backend.mode == .user
                && backend.lost == ["names of the other containers of backend: by their addresses they are reached"])
        #expect(
            backend.said.contains {
                $0.contains("docker network inspect backend says Internal") && $0.contains("network.mode = \"none\"")
            })
        let joined = try made("--network container:db")
        #expect(joined.mode == nil && joined.lost.count == 1 && joined.lost[0].contains("\"/proc/PID/ns/net\""))
        let bridge = try made("--network bridge")
        #expect(bridge.mode == .user && bridge.lost.isEmpty)
        #expect(bridge.said.contains { $0.contains("without the engine's bridge") && !$0.contains("Internal") })
    }

    @Test func `what reaches past the rules of a network is left out`() throws {
        let made = draft("run --cap-add NET_RAW --cap-add ALL x")
        let kept = try #require(made.spec.capabilities.keep).value
        #expect(!kept.contains(.net_raw) && !kept.contains(.net_admin) && kept.contains(.kill))
        #expect(made.directives(.lost).contains("--cap-add NET_RAW"))
        let other = try draft("run --network none --cap-add NET_RAW x").spec
        #expect(other.capabilities.keep?.value.contains(.net_raw) == true)
    }

    @Test(arguments: [
        ("--wat x", "docker run has no option --wat"), ("--rm", "no image"), ("-e", "--env takes a word"),
        ("--user web x", "names are the image's: --user takes numbers here, UID:GID"),
        ("--cpus many x", "\"many\" is not a number of CPUs"), ("--env-file /no x", "cannot read \"/no\""),
    ]) func `what docker would refuse is a fault`(_ line: String, _ message: String) {
        #expect(draft("run " + line).faults.first?.message == message)
        #expect(draft("ps").faults.count == 1)
    }

    @Test func `the root is read-only where that was asked for, and the last of two counts`() throws {
        let made = draft("run --read-only --network none --network host -w /a -w /b -p 1:1 x")
        let spec = try made.spec
        #expect(spec.filesystem.changes == nil && spec.network.mode?.value == .host && spec.cwd.value == "/b")
        #expect(
            made.directives(.warning).contains("--workdir /a") && made.directives(.outside).contains("--publish 1:1"))
    }

    @Test func `a port without an address is published at every one`() throws {
        let made = draft("run --rm -p 8080:80 -p 127.0.0.1:81:81 x")
        let ports = try made.spec.network.publish.map(\.value)
        #expect(ports.map(\.hostPort) == [8080, 81] && ports.map(\.outerAddress.isUnspecified) == [true, false])
    }

    @Test func `what an unpacked image says of its program holds under the options`() throws {
        let files = [
            "/i/image/index.json": #"{"manifests":[{"digest":"sha256:a"}]}"#,
            "/i/image/blobs/sha256/a": #"{"config":{"digest":"sha256:b"}}"#,
            "/i/image/blobs/sha256/b": #"{"config":{"Env":["A=1","B=2"],"Cmd":["serve"],"WorkingDir":"/srv"}}"#,
        ]
        // The command line is above the files that it names, wherever they stand on it.
        let given = draft(
            "run -e B=cli --env-file f --network none x", in: "/i",
            files: files.merging(["/i/f": "B=file\nC=4\n", "f": "B=file\nC=4\n"]) { one, _ in one })
        #expect(
            try given.spec.environment.set.map { "\($0.name)=\($0.value.value)" }.sorted() == ["A=1", "B=cli", "C=4"])
        let made = draft("run -e B=3 --network none x", in: "/i", files: files)
        let spec = try made.spec
        #expect(spec.filesystem.root.value == .directory("/i/rootfs") && spec.command?.value == ["serve"])
        #expect(spec.environment.set.map { "\($0.name)=\($0.value.value)" }.sorted() == ["A=1", "B=3"])
        #expect(spec.cwd.value == "/srv" && !made.said(.warning).contains { $0.contains("docker save") })
    }

    @Test(arguments: [
        (#""Cmd":["serve"]"#, "x a", ["a"]),
        (#""Entrypoint":["/e","-f"],"Cmd":["serve"]"#, "x", ["/e", "-f", "serve"]),
        (#""Entrypoint":["/e","-f"],"Cmd":["serve"]"#, "x a b", ["/e", "-f", "a", "b"]),
        (#""Entrypoint":["/e"],"Cmd":["serve"]"#, "--entrypoint /n x", ["/n"]),
        (#""Entrypoint":["/e"],"Cmd":["serve"]"#, "--entrypoint /n x a", ["/n", "a"]),
    ])
    func `the words after an image follow its entry point`(settings: String, line: String, command: [String]) throws {
        let files = [
            "/i/image/index.json": #"{"manifests":[{"digest":"sha256:a"}]}"#,
            "/i/image/blobs/sha256/a": #"{"config":{"digest":"sha256:b"}}"#,
            "/i/image/blobs/sha256/b": "{\"config\":{\(settings)}}",
        ]
        let made = draft("run --rm --network none \(line)", in: "/i", files: files)
        #expect(try made.spec.command?.value == command)
        #expect(!made.said(.warning).contains { $0.contains("read-only") })
        #expect(
            draft("run --entrypoint= x", in: "/i", files: files).faults.map(\.message) == [
                "no command is left of the image's"
            ])
    }

    @Test func `what an image lacks is made, or the root stays read-only and the line says why`() throws {
        func made(_ line: String, isRoot: Bool, _ there: String...) throws -> (spec: Spec, said: [String]) {
            let places = Set(["", "/dev", "/proc", "/tmp"].map { "/i/rootfs" + $0 } + there)
            let context = ImportContext(isRoot: isRoot, exists: { places.contains($0) })
            let draft = DockerImport.draft(line.split(separator: " ").map(String.init), in: "/i", context)
            return (try draft.spec, draft.said(.warning).filter { $0.contains("mkdir -p") })
        }
        let line = "run --rm --network none -v /srv/d:/data -w /work -u 5:5 x sh"
        let user = try made(line, isRoot: false)
        #expect(user.spec.mount(at: "/work")?.source == .directory(mode: nil))
        #expect(user.spec.filesystem.changes != nil && user.said.isEmpty)
        let root = try made(line, isRoot: true)
        #expect(root.spec.filesystem.changes == nil && root.spec.mount(at: "/work") != nil)
        #expect(root.said.contains { $0.contains("mkdir -p /i/rootfs/data /i/rootfs/work") })
        let whole = try made(line, isRoot: true, "/i/rootfs/data", "/i/rootfs/work")
        #expect(whole.spec.filesystem.changes != nil && whole.spec.mount(at: "/work") == nil && whole.said.isEmpty)
        #expect(try made(line, isRoot: true, "/i/rootfs/data").said.count == 1)
        // Who is root in the jail makes what it likes.
        #expect(try made("run --rm --network none -u 0:0 -w /work x sh", isRoot: true).said.isEmpty)
    }
}
