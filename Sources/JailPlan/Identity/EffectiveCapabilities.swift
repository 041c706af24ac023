package import JailSpec

/// The sets in force when the command is executed; the bounding set was dropped before.
package struct EffectiveCapabilities: Equatable, Sendable {
    package var permitted: CapabilitySet = []
    package var effective: CapabilitySet = []
    package var inheritable: CapabilitySet = []
    package var ambient: CapabilitySet = []

    package init() {}

    init(
        permitted: CapabilitySet, effective: CapabilitySet, inheritable: CapabilitySet, ambient: CapabilitySet
    ) {
        self.permitted = permitted
        self.effective = effective
        self.inheritable = inheritable
        self.ambient = ambient
    }
}
