import JailPlan
import Kernel
package import SpecFile

/// The argument of `--result` or `--changes`, before anything is opened.
package enum ResultName: Equatable, Sendable {
    case descriptor(Int32)
    case path(String)

    /// `FD:n` with an open, writable descriptor above 2, or a path; with `sharing` a dash for standard output.
    package init(_ written: String, of option: String = "--result", sharing: Bool = false) throws(Diagnostic) {
        if sharing, written == "-" {
            self = .descriptor(1)
            return
        }
        guard written.hasPrefix("FD:") else {
            guard !written.isEmpty, !written.utf8.contains(0) else {
                throw Diagnostic("\(option) \(quoted(written)): names no file", at: nil)
            }
            self = .path(written)
            return
        }
        self = .descriptor(try Self.number(written, option))
    }

    /// The descriptor that the command must not get.
    package var descriptor: Int32? { if case .descriptor(let number) = self { number } else { nil } }

    private static func number(_ written: String, _ option: String) throws(Diagnostic) -> Int32 {
        let digits = written.dropFirst(3)
        let isNumber =
            !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isNumber, let number = Int32(digits) else {
            throw Diagnostic(
                "\(option) \(quoted(written)): not a descriptor", at: nil,
                hint: "write FD:3; a file of that name is ./\(written)")
        }
        guard number > 2 else {
            throw Diagnostic(
                "\(option) \(written): standard input and output are the command's", at: nil,
                hint: "give it a descriptor of its own: \(option) FD:3 3>&1")
        }
        guard isOpen(number) else {
            throw Diagnostic(
                "\(option) \(written): the descriptor is not open", at: nil, hint: "open it: \(number)>result.json")
        }
        guard isWritable(number) else {
            throw Diagnostic("\(option) \(written): the descriptor is not open for writing", at: nil)
        }
        return number
    }
}
