import CLinux

/// A default route of rtnetlink(7).
package struct DefaultRoute: Equatable, Sendable {
    package let isIPv6: Bool
    /// The bytes of the gateway's address; empty for a route without one.
    package let gateway: [UInt8]
}

/// The routes of a network namespace that say where its host ends.
package struct HostRoutes: Sendable {
    package fileprivate(set) var defaults: [DefaultRoute] = []
    /// What the host takes for its own, but for loopback and the link of IPv6: the first address, of 4 or 16 bytes, and how many bits all of them
    /// begin with.
    package fileprivate(set) var own: [(address: [UInt8], prefix: Int)] = []
}

/// The default routes of the caller's network namespace and its local ones, all of them, rtnetlink(7). Like every question to it, it fails with
/// `ETIMEDOUT` where the kernel says nothing within a second.
package func hostRoutes() throws(KernelError) -> HostRoutes {
    var found = [linux_route](repeating: linux_route(), count: 64)
    var count = Int.max
    // There may be more by the time that they are asked for again.
    while count > found.count {
        if count != .max { found = [linux_route](repeating: linux_route(), count: count + 64) }
        count = Int(
            try persist(.rtnetlink) {
                unsafe found.withUnsafeMutableBufferPointer { buffer -> Int32 in
                    guard let base = buffer.baseAddress else { return 0 }
                    return unsafe linux_routes(base, Int32(buffer.count))
                }
            })
    }
    var result = HostRoutes()
    for route in found[..<count] {
        if route.is_own != 0 {
            result.own.append((bytes(of: route), Int(route.prefix)))
        } else {
            let gateway = route.has_gateway != 0 ? bytes(of: route) : []
            result.defaults.append(DefaultRoute(isIPv6: route.length == 16, gateway: gateway))
        }
    }
    return result
}

/// Waits, without an end, until the caller's network namespace has a default route of each protocol that is asked for.
package func awaitDefaultRoutes(four: Bool, six: Bool) throws(KernelError) {
    try persist(.rtnetlink) { linux_await_routes(four ? 1 : 0, six ? 1 : 0) }
}

/// The addresses, 4 or 16 bytes each, of the interfaces of the caller's network namespace but those of loopback (127.0.0.0/8, ::1), rtnetlink(7). Fails with `E2BIG`
/// where there are more than 1,024: none is left out.
package func interfaceAddresses() throws(KernelError) -> [[UInt8]] {
    var found = [linux_route](repeating: linux_route(), count: 1024)
    let count = try persist(.rtnetlink) {
        unsafe found.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe linux_interface_addresses(base, Int32(buffer.count))
        }
    }
    return found[..<Int(count)].map(bytes)
}

private func bytes(of route: linux_route) -> [UInt8] {
    unsafe withUnsafeBytes(of: route.address) { unsafe Array($0.prefix(Int(route.length))) }
}

/// A socket that can be read when a route of the caller's network namespace has come or gone, rtnetlink(7).
package func watchRoutes() throws(KernelError) -> Int32 { try attempt(.rtnetlink) { linux_watch_routes() } }

/// Takes all that such a socket has, without waiting; whether the host may have more of its own than before.
package func hearOfOwn(_ watched: Int32) -> Bool { linux_hear_routes(watched) != 0 }

/// What the kernel says to a TCP connection to that address, of 4 or 16 bytes; nil where it comes about. `ETIMEDOUT` where
/// nothing is said within `milliseconds`. The corresponding C function is `connect`.
package func refusal(of address: [UInt8], port: UInt16, milliseconds: Int32) throws(KernelError) -> Errno? {
    let answer = try attempt(.socket) {
        unsafe linux_refusal_of_address(address, Int32(address.count), port, milliseconds)
    }
    return answer == 0 ? nil : Errno(rawValue: answer)
}
