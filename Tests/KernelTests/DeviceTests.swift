import LinuxFacts
import Testing

@testable import Kernel

/// Device nodes, by what the host's /dev has.
@Suite struct DeviceTests {
    @Test func eachIsThere() {
        let (nodes, links) = (DeviceNode.each, DeviceLink.each)
        #expect(nodes.indices.map { nodes[$0] } == DeviceNode.allCases)
        #expect(links.indices.map { links[$0] } == DeviceLink.allCases)
    }

    @Test(arguments: DeviceNode.allCases) func numbers(_ node: DeviceNode) throws {
        let file = try open(node.path, [.path])
        let found = try status(of: file.number)
        #expect(found.isCharacterDevice && found.device == node.numbers, "\(node.path)")
    }

    /// udev makes the same ones; ptmx is a node there, and a link in every container.
    @Test(arguments: DeviceLink.allCases) func links(_ link: DeviceLink) throws {
        if link == .ptmx {
            #expect(link.content == "pts/ptmx")
        } else {
            #expect(try readLink(link.path) == link.content)
        }
    }
}
