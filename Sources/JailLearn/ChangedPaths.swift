import SpecFile

/// The paths that a run was seen about to change, and that a run in the jail would change as well: what a jail has of its own is
/// another one there.
package func changedPaths(_ records: Set<AccessRecord>, _ context: LearnContext) -> [String] {
    let places = Places(context: context)
    let ofKernel = ["/dev", "/proc", "/sys"]
    let paths = records.filter { record in
        record.act.changes && !places.isOwn(record.path) && !places.isOwn(parent(of: record.path))
            && !ofKernel.contains { isWithin(record.path, $0) }
    }
    return Set(paths.map(\.path)).sorted()
}
