import TestSupport

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func tryInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    tryInput(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
