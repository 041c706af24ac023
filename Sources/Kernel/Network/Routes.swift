import CLinux

/// A default route of rtnetlink(7).
package struct DefaultRoute: Equatable, Sendable {
    package let isIPv6: Bool
    /// The bytes of the gateway's address; empty for a route without one.
    package let gateway: [UInt8]
}

private let room = 1024

private func addresses(
    _ call: Call, _ body: (UnsafeMutablePointer<linux_route>, Int32) -> Int32
) throws(KernelError) -> [linux_route] {
    var found = [linux_route](repeating: linux_route(), count: room)
    let count = try persist(call) {
        unsafe found.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe body(base, Int32(room))
        }
    }
    return Array(found[..<Int(count)])
}

private func bytes(of route: linux_route) -> [UInt8] {
    guard route.has_gateway != 0 else { return [] }
    return unsafe withUnsafeBytes(of: route.gateway) { unsafe Array($0.prefix(Int(route.length))) }
}

/// The default routes of the caller's network namespace, rtnetlink(7). Like every question to it, it fails with `ETIMEDOUT` where the kernel
/// says nothing within a second.
package func defaultRoutes() throws(KernelError) -> [DefaultRoute] {
    let routes = unsafe try addresses(.rtnetlink) { unsafe linux_default_routes($0, $1) }
    return routes.map { DefaultRoute(isIPv6: $0.length == 16, gateway: bytes(of: $0)) }
}

/// Waits, without an end, until the caller's network namespace has a default route of each protocol that is asked for.
package func awaitDefaultRoutes(four: Bool, six: Bool) throws(KernelError) {
    try persist(.rtnetlink) { linux_await_routes(four ? 1 : 0, six ? 1 : 0) }
}

/// The addresses, 4 or 16 bytes each, of the interfaces of the caller's network namespace but those of loopback (127.0.0.0/8, ::1), rtnetlink(7). Fails with `E2BIG`
/// where there are more than 1,024: none is left out.
package func interfaceAddresses() throws(KernelError) -> [[UInt8]] {
    let found = unsafe try addresses(.rtnetlink) { unsafe linux_interface_addresses($0, $1) }
    return found.map { bytes(of: $0) }
}

/// A socket that can be read when an address has come to, or left, an interface of the caller's network namespace, rtnetlink(7).
package func watchAddresses() throws(KernelError) -> Int32 { try attempt(.rtnetlink) { linux_watch_addresses() } }

/// Takes all that such a socket has, without waiting: what is so now is asked for.
package func hearAll(_ watched: Int32) { linux_hear_all(watched) }

/// What the kernel says to a TCP connection to that address, of 4 or 16 bytes; nil where it comes about. `ETIMEDOUT` where
/// nothing is said within `milliseconds`. The corresponding C function is `connect`.
package func refusal(of address: [UInt8], port: UInt16, milliseconds: Int32) throws(KernelError) -> Errno? {
    let answer = try attempt(.socket) {
        unsafe linux_refusal_of_address(address, Int32(address.count), port, milliseconds)
    }
    return answer == 0 ? nil : Errno(rawValue: answer)
}
