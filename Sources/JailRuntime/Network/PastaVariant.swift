import Kernel

extension HostProgram {
    /// pasta(1) begins by executing itself anew, as the file with `.avx2` behind its own name, where there is one and the processor has that. The
    /// same file from the start, so that it is loaded once; this one where none is there, or it cannot be told.
    var forThisProcessor: HostProgram {
        do throws(KernelError) {
            let own = try readLink("/proc/self/fd/\(descriptor)")
            // A script in its place is what somebody wants to be started.
            guard !own.contains(Self.variant), try isBinary, hasAVX2() else { return self }
            let other = try open(own + Self.variant, .path)
            let status = try status(of: other.number)
            guard status.isRegular, status.permissions & 0o6111 == 0o111 else { return self }
            closeDescriptor(descriptor)
            return HostProgram(name: name, path: own + Self.variant, descriptor: other.release())
        } catch {
            return self  // it does so itself
        }
    }

    private static let variant = ".avx2"

    /// Whether the kernel runs it without another program, elf(5).
    private var isBinary: Bool {
        get throws(KernelError) {
            let file = try open("/proc/self/fd/\(descriptor)", .read)
            return try readBytes(file.number, at: 0, upTo: 4) == [0x7F] + Array("ELF".utf8)
        }
    }
}
