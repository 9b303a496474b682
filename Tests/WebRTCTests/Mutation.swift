internal import VoiceCore

extension SplitMix64 {
    /// Bytes that a parser should survive: sometimes noise, mostly a sample that was cut, extended, or changed in places.
    mutating func mutation(of samples: [[UInt8]]) -> [UInt8] {
        guard next() % 8 != 0, var bytes = samples.randomElement(using: &self) else {
            return (0..<Int.random(in: 0...200, using: &self)).map { _ in UInt8(truncatingIfNeeded: next()) }
        }
        for _ in 0..<Int.random(in: 1...4, using: &self) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &self)
            switch next() % 5 {
            case 0: bytes[index] = UInt8(truncatingIfNeeded: next())
            case 1: bytes[index] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &self) ?? 0
            case 2: bytes.removeSubrange(index...)
            case 3: bytes.insert(contentsOf: bytes[index...].prefix(16), at: index)
            default: bytes.remove(at: index)
            }
        }
        return bytes
    }
}
