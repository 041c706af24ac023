import JailSpec
import SpecFile

/// An environment in the making, `NAME=value`, in which no name comes twice. What is put last counts, where the first was.
struct EnvironmentList {
    private(set) var entries: [String] = []
    /// A table of places in `entries` by the name's hash, open addressing; −1 is free. It is at most half full. The caller
    /// chooses the names, and how many: a search through all entries for each would take him a minute for 60,000.
    private var places: [Int32] = []

    mutating func put(_ entry: String) {
        if places.count <= 2 * entries.count { grow() }
        let slot = slot(of: entry)
        if places[slot] < 0 {
            places[slot] = Int32(entries.count)
            entries.append(entry)
        } else {
            entries[Int(places[slot])] = entry
        }
    }

    /// Puts directories before those of a search path.
    mutating func precede(_ name: String, with directories: [Located<String>]) {
        if places.isEmpty { grow() }
        var value = ""
        for directory in directories { value += (value.isEmpty ? "" : ":") + directory.value }
        let place = places[slot(of: name)]
        if place >= 0 {
            let old = entries[Int(place)].utf8.dropFirst(name.utf8.count + 1)
            if !old.isEmpty { value += ":" + String(Substring(old)) }
        }
        put(name + "=" + value)
    }

    /// Where the name of an entry is, or would be.
    private func slot(of entry: String) -> Int {
        let bytes = entry.utf8.span
        // FNV-1a. That of Swift would ask the kernel for a random seed; who gives names that collide waits for it himself.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var length = 0
        while length < bytes.count, bytes[length] != UInt8(ascii: "=") {
            hash = (hash ^ UInt64(bytes[length])) &* 0x100_0000_01b3
            length += 1
        }
        var slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & (places.count - 1)
        while places[slot] >= 0, !isName(bytes, length, of: entries[Int(places[slot])]) {
            slot = (slot + 1) & (places.count - 1)
        }
        return slot
    }

    /// Whether the first bytes of these, as many as `length`, are the name of an entry.
    private func isName(_ bytes: Span<UInt8>, _ length: Int, of entry: String) -> Bool {
        let other = entry.utf8.span
        guard length <= other.count, length == other.count || other[length] == UInt8(ascii: "=") else { return false }
        for index in 0..<length where bytes[index] != other[index] { return false }
        return true
    }

    private mutating func grow() {
        places = Array(repeating: -1, count: max(64, 2 * places.count))
        for index in entries.indices { places[slot(of: entries[index])] = Int32(index) }
    }
}
