import JailPlan
import Kernel

extension HostProc {
    /// Whether a descriptor of a thread is a socket of UDP. sockfs names the protocol of each in an attribute, bound or not; nil
    /// where that cannot be told.
    func isDatagramSocket(_ descriptor: Int32, of thread: Int32) -> Bool? {
        do throws(KernelError) {
            let file = try open("\(thread)/fd/\(descriptor)", at: self.descriptor, .path)
            return try extendedAttribute("system.sockprotoname", of: file.number)?.starts(with: Array("UDP".utf8))
        } catch {
            return nil
        }
    }
}
