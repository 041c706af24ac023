/// Directories that a user was found to be able to search, all the way: most calls are for a few of them.
final class SearchedDirectories {
    private struct Key: Hashable {
        let path: String
        let user: UInt32
    }

    private var known: Set<Key> = []

    func has(_ path: String, _ user: UInt32) -> Bool { known.contains(Key(path: path, user: user)) }

    func note(_ path: String, _ user: UInt32) {
        if known.count < 4096 { known.insert(Key(path: path, user: user)) }
    }
}
