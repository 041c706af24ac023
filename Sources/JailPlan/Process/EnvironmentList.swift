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
        let slot = slot(of: name(of: entry))
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
        let place = places[slot(of: name.utf8[...])]
        if place >= 0 {
            let old = entries[Int(place)].utf8.dropFirst(name.utf8.count + 1)
            if !old.isEmpty { value += ":" + String(Substring(old)) }
        }
        put(name + "=" + value)
    }

    private func name(of entry: String) -> Substring.UTF8View { entry.utf8.prefix { $0 != UInt8(ascii: "=") } }

    /// Where the name is, or would be.
    private func slot(of name: Substring.UTF8View) -> Int {
        // FNV-1a. That of Swift would ask the kernel for a random seed; who gives names that collide waits for it himself.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & (places.count - 1)
        while places[slot] >= 0, !self.name(of: entries[Int(places[slot])]).elementsEqual(name) {
            slot = (slot + 1) & (places.count - 1)
        }
        return slot
    }

    private mutating func grow() {
        places = Array(repeating: -1, count: max(64, 2 * places.count))
        for index in entries.indices { places[slot(of: name(of: entries[index]))] = Int32(index) }
    }
}
