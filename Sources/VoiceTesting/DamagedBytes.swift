package import VoiceCore

/// Changes, takes out, doubles or puts in a few bytes.
package func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard !bytes.isEmpty else { return bytes.append(UInt8.random(in: .min ... .max, using: &random)) }
    let index = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
    case 1: bytes.remove(at: index)
    case 2: bytes.insert(contentsOf: bytes[..<index].suffix(16), at: index)
    case 3: bytes.insert(Array("\"{}[],:\\019-e.".utf8).randomElement(using: &random) ?? 0, at: index)
    default: bytes.removeLast(min(bytes.count, Int.random(in: 1...8, using: &random)))
    }
}
