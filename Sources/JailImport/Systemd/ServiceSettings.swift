package import SpecFile

/// The assignments of a service's unit and its drop-ins, for whoever changes the unit and makes no spec of it.
package func serviceSettings(of sources: [ImportSource]) throws(Rejection) -> [(name: String, value: String)] {
    var draft = Draft()
    var unit = UnitFile()
    for source in sources { unit.read(source, &draft) }
    guard draft.faults.isEmpty else { throw Rejection(draft.faults) }
    return unit.lines.filter { $0.section == "Service" }.map { ($0.key, $0.value) }
}
