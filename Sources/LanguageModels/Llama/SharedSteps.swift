internal import VoiceCore

/// Single tokens of several chats that are wanted now, so that one call computes them: the model's weights are read once for
/// all of them.
///
/// Pure bookkeeping of the engine, whose thread calls all of this. Each waits for the device with an urgency of its own; see
/// ``Inference/Lane/share(_:_:)``.
struct SharedSteps {
    /// One that is wanted.
    struct Wanted {
        let seat: Int
        let run: Int
        /// What came of it, once somebody has computed it.
        var result: Result<LlamaEngine.Step, VoiceError>?
    }

    /// Chats that had a token less than this ago are about to want the next: what takes a token's text needs some microseconds,
    /// but several threads have to be woken for it.
    private static let comeback = Duration.milliseconds(2)

    private let clock = ContinuousClock()
    private var wanted: [UInt64: Wanted] = [:]
    private var lastNumber: UInt64 = 0
    private var lastToken: [Int: ContinuousClock.Instant] = [:]

    /// Takes a wish.
    /// - Returns: its number.
    mutating func want(seat: Int, run: Int) -> UInt64 {
        lastNumber += 1
        wanted[lastNumber] = Wanted(seat: seat, run: run)
        return lastNumber
    }

    /// What came of a wish so far; nil while nothing did.
    func result(of number: UInt64) -> Result<LlamaEngine.Step, VoiceError>? { wanted[number]?.result }

    /// Ends a wish.
    mutating func end(_ number: UInt64) { wanted[number] = nil }

    /// The wishes that nobody has fulfilled yet: this one, then the others in the order in which they came.
    func open(from first: UInt64) -> [(number: UInt64, wanted: Wanted)] {
        wanted.filter { $0.value.result == nil }.map { ($0.key, $0.value) }
            .sorted { ($0.0 == first ? 0 : $0.0) < ($1.0 == first ? 0 : $1.0) }
    }

    /// The wishes that have been fulfilled and not ended yet, but for this one.
    func fulfilled(but number: UInt64) -> [UInt64] {
        wanted.filter { $0.key != number && $0.value.result != nil }.map(\.key)
    }

    /// Notes what came of a wish.
    mutating func fulfil(_ number: UInt64, _ result: Result<LlamaEngine.Step, VoiceError>) {
        guard let seat = wanted[number]?.seat else { return }
        wanted[number]?.result = result
        lastToken[seat] = clock.now
    }

    /// Whether chats that had a token a moment ago have not asked for the next one yet.
    func lacksOthers(than seat: Int) -> Bool {
        let limit = clock.now - Self.comeback
        let waiting = wanted.values.filter { $0.result == nil }.map(\.seat)
        return lastToken.contains { $0.key != seat && $0.value > limit && !waiting.contains($0.key) }
    }

    /// Says that a chat will not want another token soon.
    mutating func rest(_ seat: Int) { lastToken[seat] = nil }
}
