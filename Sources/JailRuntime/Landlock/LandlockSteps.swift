import JailPlan

/// How the steps towards Landlock rules are done, and how each is read back.
extension Applier {
    mutating func apply(_ operation: LandlockOperation, of plan: Plan) throws(Failure) {
        switch operation {
        case .keepToTree(let rules): try keepToTree(rules, of: plan)
        case .createRuleset(let handled): try createRuleset(handled, of: plan)
        case .allowPath(let path, let access): try allow(path, access)
        case .allowPort(let port, let use): try allow(port, use)
        case .enforceRuleset: try enforceRuleset(of: plan)
        case .enforceHeld(let step, _): try enforceHeld(step)
        }
    }

    mutating func check(_ operation: LandlockOperation, in plan: Plan) throws(Failure) {
        switch operation {
        case .keepToTree: try checkKeptToTree()
        case .enforceRuleset: try checkLandlock(plan)
        case .enforceHeld(_, let closesFiles): if closesFiles { try checkKeptToTree() }
        case .createRuleset:
            break
        case .allowPath, .allowPort: break
        }
    }
}
