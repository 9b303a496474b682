internal import Foundation
internal import VoiceCore

/// What is known of a sentence before its first sound: how long each symbol lasts and how it sounds. A value.
struct PiperSentence: Sendable {
    /// Frames of each symbol.
    let durations: [Int]
    /// Frames of the sentence.
    let frames: Int
    /// Means of the sound of each symbol, shape [width, symbols].
    private let means: [Float]
    /// Deviations from them, as many.
    private let deviations: [Float]

    /// No symbol lasts longer, whatever a damaged file says: 2.3 s of 256 samples at 22,050 Hz.
    private static let longestSymbol = 200

    /// - Parameters:
    ///   - logarithms: of each symbol's frames at the voice's own pace.
    ///   - means: shape [width, symbols].
    ///   - deviations: their logarithms.
    init(logarithms: [Float], means: [Float], deviations: [Float], _ h: PiperHyperparameters) {
        durations = logarithms.map { logarithm in
            let frames = (Foundation.exp(logarithm) * h.lengthScale).rounded(.up)
            return frames < Float(Self.longestSymbol) ? Int(max(0, frames)) : Self.longestSymbol
        }
        // At least one frame, as in the original.
        frames = max(1, durations.reduce(0, +))
        self.means = means
        self.deviations = deviations.map { Foundation.exp($0) * h.noiseScale }
    }

    /// The frame after the last one of a symbol.
    func end(ofSymbol symbol: Int) -> Int { durations[...symbol].reduce(0, +) }

    /// What goes into the flow: the means of each frame's symbol, and noise. Frames in order.
    /// - Parameters:
    ///   - range: the frames.
    ///   - noise: taken in order of frames and channels.
    /// - Returns: lower and upper half of the channels, each shape [width / 2, frames].
    func noisy(_ range: Range<Int>, _ noise: inout GaussianNoise, width: Int) -> (lower: [Float], upper: [Float]) {
        var (lower, upper): ([Float], [Float]) = ([], [])
        lower.reserveCapacity(range.count * width / 2)
        upper.reserveCapacity(range.count * width / 2)
        var (symbol, end) = (0, durations.first ?? 0)
        for frame in range {
            while frame >= end, symbol + 1 < durations.count {
                symbol += 1
                end += durations[symbol]
            }
            let first = symbol * width
            for channel in first..<(first + width / 2) {
                lower.append(means[channel] + deviations[channel] * noise.next())
            }
            for channel in (first + width / 2)..<(first + width) {
                upper.append(means[channel] + deviations[channel] * noise.next())
            }
        }
        return (lower, upper)
    }
}
