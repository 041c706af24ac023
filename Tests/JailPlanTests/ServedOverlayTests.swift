import JailPlan
import JailSpec
import SpecFile
import TestSupport
import Testing

/// Overlays that a program makes in the kernel's place.
@Suite struct ServedOverlayTests {
    private static let text = "[[mount]]\ntarget = \"/o\"\ntype = \"overlay\"\nlower = [\"/srv/o\"]\nidmap = true\n"

    private func host(root: Bool) -> Host {
        var host = Host()
        (host.isPrivileged, host.isRealRoot) = (root, root)
        if root { host.uid = 0 }
        (host.images.hasFuseOverlayfs, host.images.opensFuse) = (true, true)
        return host
    }

    private func faults(_ text: String, _ host: Host, listing: Bool = false) throws -> [String] {
        guard case .failure(let faults) = Planner.plan(try spec(text), on: host, reportsChanges: listing) else {
            return []
        }
        return faults.diagnostics.map(\.message)
    }

    @Test func aUserHasAServer() throws {
        let plan = try Planner.plan(spec(Self.text), on: host(root: false)).get()
        var (opened, filled) = ([Int](), [Int]())
        for step in plan.steps {
            switch step.operation {
            case .tree(.openOverlay(let slot, _)): opened.append(slot)
            case .tree(.fill(let slot, .overlay(let source), _)) where source.owner != nil:
                filled.append(slot)
                #expect(source.fileIDs == nil)
            default: continue
            }
        }
        #expect(opened.count == 1 && opened == filled && plan.shape == .supervised)
    }

    @Test func rootHasTheKernel() throws {
        let plan = try Planner.plan(spec(Self.text), on: host(root: true)).get()
        #expect(!plan.steps.contains { if case .tree(.openOverlay) = $0.operation { true } else { false } })
    }

    @Test func whatIsRefused() throws {
        var poor = host(root: false)
        (poor.images.hasFuseOverlayfs, poor.images.opensFuse) = (false, false)
        let found = try faults(Self.text, poor)
        #expect(found.count == 2 && found[0].contains("fuse-overlayfs(1)") && found[1].contains("/dev/fuse"))
        #expect(try faults(Self.text, host(root: false), listing: true).first?.contains("cannot be listed") == true)
        #expect(try faults(Self.text, host(root: true), listing: true) == [])
    }
}
