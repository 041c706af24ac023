/// Runs classic BPF over `struct seccomp_data` as the kernel does, with what it checks: no jump back or out, no load beside
/// the data.
struct Interpreter {
    let code: [UInt64]

    struct Data {
        var number: Int32
        var architecture: UInt32
        var pointer: UInt64 = 0
        var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]

        func word(at offset: Int) -> UInt32? {
            switch offset {
            case 0: return UInt32(bitPattern: number)
            case 4: return architecture
            case 8: return UInt32(truncatingIfNeeded: pointer)
            case 12: return UInt32(pointer >> 32)
            case 16..<64 where offset % 4 == 0:
                let argument = arguments[(offset - 16) / 8]
                return offset % 8 == 0 ? UInt32(truncatingIfNeeded: argument) : UInt32(argument >> 32)
            default: return nil
            }
        }
    }

    /// What the program returns, and whether it looked at no argument on the way; nil for a program that is not valid.
    func run(_ data: Data) -> (value: UInt32, looked: Bool)? {
        var accumulator: UInt32 = 0
        var place = 0
        var looked = false
        while place < code.count {
            let word = code[place]
            let value = UInt32(word >> 32)
            let (met, unmet) = (Int(word >> 16 & 0xff), Int(word >> 24 & 0xff))
            place += 1
            func jump(_ holds: Bool) { place += holds ? met : unmet }
            switch UInt16(truncatingIfNeeded: word) {
            case 0x20:
                guard let loaded = data.word(at: Int(value)) else { return nil }
                accumulator = loaded
                if value >= 8 { looked = true }
            case 0x54: accumulator &= value
            case 0x05: place += Int(value)
            case 0x15: jump(accumulator == value)
            case 0x25: jump(accumulator > value)
            case 0x35: jump(accumulator >= value)
            case 0x45: jump(accumulator & value != 0)
            case 0x06: return (value, looked)
            default: return nil
            }
        }
        return nil
    }
}
