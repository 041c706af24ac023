import JailPlan
import JailSpec
import Kernel
import SpecFile

extension Host {
    /// The name of the file that the command's path leads to in the tree that becomes the root; nil where that cannot be seen.
    static func initProgram(of spec: Spec) -> String? {
        guard let path = spec.command?.value.first else { return nil }
        let root: String
        switch spec.filesystem.root.value {
        case .system, .host: root = "/"
        case .directory(let directory): root = directory
        case .empty, .image:
            guard case .overlay(let lower, _, _)? = spec.filesystem.rootMount?.source, let last = lower.first else {
                return name(path)
            }
            root = last
        }
        do throws(KernelError) {
            let directory = try open(root, .path | .directory)
            let file = try openInside(directory.number, path)
            return name(try readLink("/proc/self/fd/\(file.number)"))
        } catch {
            return name(path)
        }
    }

    private static func name(_ path: String) -> String? { path.split(separator: "/").last.map(String.init) }
}
