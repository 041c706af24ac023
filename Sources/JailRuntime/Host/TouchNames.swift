package import JailPlan
package import JailSpec
import Kernel
import LinuxFacts
package import SpecFile

extension Host {
    /// Looks at all of the host that a spec with a `timeout` names, beside this process, before anything in it does: a file server
    /// that does not answer ends the launch as its deadline does. What is found is left to who needs it.
    package static func touchNames(of spec: Spec) throws(Rejection) {
        guard let timeout = spec.timeout?.value else { return }
        let paths = spec.hostPaths
        guard !paths.isEmpty || spec.filesystem.hasPatterns else { return }
        let touch = Touch()
        do throws(KernelError) {
            let place = { "look at \(touch.path.map { quoted($0) } ?? "the host")" }
            _ = try Caller.lookBeside(within: timeout, at: place) { touch.run(paths, spec) }
        } catch {
            throw Rejection.ofLook(error)
        }
    }
}

private final class Touch {
    /// What is being opened.
    private(set) var path: String?

    func run(_ paths: [String], _ spec: Spec) {
        for one in paths {
            path = one
            touch(one)
        }
        path = nil
        // Nothing of the network has a path, and to ask for it takes programs of the host.
        var spec = spec
        spec.network = Network()
        do throws(Diagnostic) {
            _ = try Host.probe(for: spec)
        } catch {
            return  // likewise
        }
    }
}

/// Opens a path of the host, for whatever that takes.
func touch(_ path: String) {
    do throws(KernelError) {
        _ = try open(path, .path)
    } catch {
        return  // the launch will find out, and say where
    }
}

extension Rejection {
    /// Where no process could be made to look.
    static func ofLook(_ error: KernelError) -> Rejection {
        Rejection([
            Diagnostic("look at the sources: \(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)
        ])
    }
}

extension Spec {
    /// The paths of the host that a launch opens.
    fileprivate var hostPaths: [String] {
        var paths: [String] = []
        if case .directory(let path) = filesystem.root.value { paths.append(path) }
        for mount in filesystem.mounts + (filesystem.rootOverlay.map { [$0] } ?? []) where !mount.isPattern {
            switch mount.source {
            case .bind(let path), .image(let path, _): paths.append(path)
            case .overlay(let lower, let upper, let work): paths += lower + [upper, work].compactMap { $0 }
            default: break
            }
        }
        for kind in NamespaceKind.allCases {
            if case .path(let path) = namespaces[kind].value { paths.append(path) }
        }
        return paths
    }
}
