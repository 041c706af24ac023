import JailImport
import JailRuntime
import SpecFile

/// An image of a container engine, unpacked once into a directory: skopeo(1) reads it, whatever its form, and umoci(1) unpacks
/// it.
struct UnpackImage {
    /// As skopeo wants it: a transport, a path, perhaps a name within.
    let source: String
    /// Absolute.
    let directory: String

    /// The copy that skopeo makes, an image layout with one image; the spec is made of its configuration.
    var layout: String { directory + "/image" }

    /// `oci:`, `oci-archive:` or `docker-archive:` before a path; without one a directory is a layout, and a file what
    /// `docker save` writes. A name in the image may follow, after a colon.
    init(_ image: String, into directory: String) throws(Diagnostic) {
        self.directory = Caller.absolute(directory)
        let transports = ["oci", "oci-archive", "docker-archive"]
        var (transport, named) = ("", image)
        for one in transports where image.hasPrefix(one + ":") {
            (transport, named) = (one, String(image.dropFirst(one.count + 1)))
        }
        var (path, tag) = (named, "")
        if !Caller.exists(named), let colon = named.lastIndex(of: ":") {
            (path, tag) = (String(named[..<colon]), String(named[colon...]))
            // `name:tag` of an archive.
            if !Caller.exists(path), let other = path.lastIndex(of: ":") {
                (path, tag) = (String(path[..<other]), path[other...] + tag)
            }
        }
        guard Caller.exists(path) else {
            throw Diagnostic(
                "\(quoted(image)): there is no such layout or archive", at: nil,
                hint: "give the directory of an image layout, or the file that docker save has written")
        }
        if transport.isEmpty { transport = Caller.isDirectory(path) ? "oci" : "docker-archive" }
        for one in [path, self.directory] where one.contains(":") {
            throw Diagnostic("\(quoted(one)): a name would begin at the colon for skopeo(1)", at: nil)
        }
        source = "\(transport):\(Caller.absolute(path))\(tag)"
    }

    /// Makes the directory, which must not be there, and unpacks into it.
    func perform() throws(Diagnostic) {
        try Caller.requirePrograms(["skopeo", "umoci"])
        try Caller.makePrivateDirectory(directory) { () throws(Diagnostic) in
            // A local file has no signature that a policy could ask for.
            try Caller.run("skopeo", ["--insecure-policy", "copy", "--quiet", source, "oci:\(layout):latest"])
            let rootless = Caller.userID == 0 ? [] : ["--rootless"]
            try Caller.run("umoci", ["unpack"] + rootless + ["--image", layout + ":latest", directory])
        }
    }
}
