extension UInt64 {
    /// The number that bytes stand for, the lowest first; 0 where there are none. At most eight.
    init(littleEndianBytes bytes: ArraySlice<UInt8>) { self = bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
