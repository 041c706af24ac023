import CLinux

/// A page of words that processes share across a fork; each access is atomic. It lives as long as the process. The
/// corresponding C function is `mmap` with `MAP_SHARED | MAP_ANONYMOUS`.
@safe package final class SharedWords {
    private let words: UnsafeMutablePointer<UInt32>

    /// All words are 0.
    package init() throws(KernelError) {
        guard let place = unsafe linux_shared_page() else { throw KernelError(.mmap, .current) }
        unsafe words = place
    }

    /// The word at `index`, which must be below 1024.
    package subscript(_ index: Int) -> UInt32 {
        get { unsafe linux_load(words + index) }
        set { unsafe linux_store(words + index, newValue) }
    }

    /// Makes a word `wanted` where it is `expected`; returns whether it was. Of several processes one succeeds.
    package func exchange(_ index: Int, _ expected: UInt32, for wanted: UInt32) -> Bool {
        unsafe linux_exchange(words + index, expected, wanted) != 0
    }

    /// Waits while the word is `value`. The corresponding C call is `futex(FUTEX_WAIT)`.
    package func wait(_ index: Int, while value: UInt32) {
        while self[index] == value { unsafe linux_wait_word(words + index, value) }
    }

    /// Wakes who waits for the word. The corresponding C call is `futex(FUTEX_WAKE)`.
    package func wake(_ index: Int) { unsafe linux_wake_word(words + index) }
}
