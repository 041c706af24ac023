import JailPlan
import JailSpec
import Kernel

/// Whether the file system of a directory enforces the limits of projects, and why not.
extension Applier {
    func requireQuotas(_ directory: Int32, _ path: String) throws(Failure) {
        let (magic, quotas) = try failing { () throws(KernelError) in
            (try fileSystemMagic(of: directory), try projectQuotas(of: directory))
        }
        guard magic == FileSystemMagic.ext4 || magic == FileSystemMagic.xfs else {
            throw Failure(
                telling: "quota: only ext4 and xfs limit what a directory holds, and \(path) is on another file system",
                hint: Remedy.boundElsewhere)
        }
        if quotas == .enforced { return }
        let mount = try deviceMount(of: directory)
        let (point, device) = (mount?.point ?? path, mount?.device ?? "DEVICE")
        if magic == FileSystemMagic.xfs {
            throw Failure(
                telling: "quota: \(path) is on xfs that does not enforce project quotas"
                    + (quotas == .counted ? ": the limit would be counted only" : ""),
                hint: "\(Remedy.mountEnforcing(point)); or \(Remedy.boundElsewhere)")
        }
        if quotas == .counted {
            throw Failure(
                telling: "quota: \(path) is on ext4 that counts what projects hold and enforces no limit",
                hint: "as root: quotaon -P \(point)")
        }
        throw Failure(
            telling: "quota: \(path) is on ext4 without project quotas, or this kernel has none (CONFIG_QFMT_V2)",
            hint: "\(Remedy.quotaFeature(point, device)); or \(Remedy.boundElsewhere)")
    }

    /// Where the file system of an open file is mounted whole, and its device, as this process sees them.
    private func deviceMount(of directory: Int32) throws(Failure) -> (point: String, device: String)? {
        let device = try failing { () throws(KernelError) in try status(of: directory).container }
        let text = try failing(proc().mountinfo)
        let wanted = "\(device.major):\(device.minor)"
        for line in lines(text) {
            let words = line.split(separator: " ")
            guard words.count > 6, words[2] == wanted, words[3] == "/", let dash = words.firstIndex(of: "-"),
                dash + 2 < words.count
            else { continue }
            return (String(words[4]), String(words[dash + 2]))
        }
        return nil
    }
}
