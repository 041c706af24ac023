import JailPlan
import JailSpec
import SpecFile
import TestSupport
import Testing

/// Who reads an image, and what is refused before anything is launched.
@Suite struct ImageTests {
    private static let text = "[[mount]]\ntarget = \"/i\"\ntype = \"image\"\nsource = \"/srv/i\""

    private func host(_ format: ImageFormat?, root: Bool, offset: UInt64 = 0) -> Host {
        var host = Host()
        (host.isPrivileged, host.isRealRoot) = (root, root)
        if root { host.uid = 0 }
        host.images.files = [HostImages.File(path: "/srv/i", written: nil, format: format, offset: offset)]
        (host.images.servers, host.images.opensFuse) = (["squashfuse", "fuse2fs"], true)
        return host
    }

    private func sources(_ plan: Plan) -> [(filling: Bool, source: ImageSource)] {
        plan.steps.compactMap { step in
            switch step.operation {
            case .tree(.openImage(_, let source)): (false, source)
            case .tree(.fill(_, .image(let source), _)): (true, source)
            default: nil
            }
        }
    }

    @Test func theKernelReadsItForRoot() throws {
        for format in [ImageFormat.squashfs, .erofs, .ext4] {
            let plan = try Planner.plan(spec(Self.text), on: host(format, root: true, offset: 512)).get()
            let found = sources(plan)
            #expect(found.count == 1 && found[0].filling && found[0].source.reader == .kernel)
            #expect(found[0].source.format == format && found[0].source.offset == 512)
        }
    }

    @Test func aServerReadsItForAUser() throws {
        for format in [ImageFormat.squashfs, .ext4] {
            let plan = try Planner.plan(spec(Self.text), on: host(format, root: false)).get()
            let found = sources(plan)
            #expect(found.map(\.filling) == [false, true] && found[1].source.reader == .server)
            #expect(plan.shape == .supervised)
        }
    }

    @Test func aUsersImageTakesChangesWhereItIsExt4() throws {
        let text = Self.text + "\noptions = [\"rw\"]"
        for root in [true, false] {
            var host = host(.ext4, root: root)
            host.images.files = [
                HostImages.File(path: "/srv/i", written: nil, format: .ext4, offset: 0, size: 8 << 20)
            ]
            let plan = try Planner.plan(spec(text), on: host).get()
            #expect(sources(plan).allSatisfy { $0.source.room == 8 << 20 })
            guard case .failure(let faults) = Planner.plan(try spec(text), on: self.host(.squashfs, root: root)) else {
                Issue.record("a squashfs takes changes")
                continue
            }
            #expect(faults.diagnostics.map(\.message) == ["mount.options: /srv/i is squashfs, which takes no changes"])
        }
    }

    @Test func whatIsRefused() throws {
        func faults(_ host: Host) throws -> [String] {
            guard case .failure(let faults) = Planner.plan(try spec(Self.text), on: host) else { return [] }
            return faults.diagnostics.map(\.message)
        }
        #expect(try faults(host(nil, root: true)).first?.contains("holds no squashfs, erofs or ext4") == true)
        var unread = host(nil, root: true)
        unread.images.files = [
            HostImages.File(
                path: "/srv/i", written: nil, format: nil, offset: 0, refusal: "pread64: EIO Input/output error")
        ]
        #expect(try faults(unread) == ["mount.source: cannot read /srv/i: pread64: EIO Input/output error"])
        #expect(try faults(host(.erofs, root: false)).first?.contains("no erofsfuse") == true)
        var poor = host(.squashfs, root: false)
        (poor.images.servers, poor.images.opensFuse) = (["fuse2fs"], false)
        let found = try faults(poor)
        #expect(found.count == 2 && found[0].contains("squashfuse(1)") && found[1].contains("/dev/fuse"))
    }
}
