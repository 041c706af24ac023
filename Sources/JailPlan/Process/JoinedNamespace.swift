package import JailSpec

/// A namespace to join, namespaces(7).
package struct JoinedNamespace: Equatable, Sendable {
    package let kind: NamespaceKind
    package let path: String
}
