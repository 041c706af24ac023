import JailPlan
import JailSpec
import TestSupport
import Testing

/// One "A before B" of the plan, with the fact that forces it.
struct Order: Sendable, CustomTestStringConvertible {
    enum Caller { case any, root, user }

    let name: String
    let reason: String
    let caller: Caller
    let before: @Sendable (Operation) -> Bool
    let after: @Sendable (Operation) -> Bool

    init(
        _ name: String, because reason: String, for caller: Caller = .any,
        _ before: @escaping @Sendable (Operation) -> Bool,
        before after: @escaping @Sendable (Operation) -> Bool
    ) {
        (self.name, self.reason, self.caller) = (name, reason, caller)
        (self.before, self.after) = (before, after)
    }

    /// Operations by their names.
    init(_ before: Set<String>, before after: Set<String>, for caller: Caller = .any, because reason: String) {
        self.init(
            "\(before.sorted().joined(separator: ", ")) before \(after.sorted().joined(separator: ", "))",
            because: reason, for: caller, { before.contains($0.operationName) },
            before: { after.contains($0.operationName) })
    }

    var testDescription: String { name }

    func concerns(_ shape: Shape) -> Bool {
        switch caller {
        case .any: true
        case .root: shape.host.isPrivileged
        case .user: !shape.host.isPrivileged
        }
    }
}

@Suite struct OrderTests {
    /// In every plan that has both, all of the one stand before all of the other; and some plan has both.
    @Test(arguments: Order.all) func holds(_ order: Order) throws {
        var found = 0
        for shape in Shape.all where order.concerns(shape) {
            let operations = try shape.plan().operations
            guard let last = operations.lastIndex(where: order.before),
                let first = operations.firstIndex(where: order.after)
            else { continue }
            found += 1
            #expect(last < first, "\(shape.name): \(order.name), for \(order.reason)")
        }
        #expect(found > 0, "no shape has both sides of: \(order.name)")
    }
}
