internal import Audio
internal import Testing
internal import VoiceCore

@testable internal import Transports

/// When a reply is coded so that lost packets can be recovered.
@Suite struct LossProtectionTests {
    private static let loud = [Float](repeating: 0.2, count: 480)
    private static let quiet = [Float](repeating: 0.001, count: 480)

    @Test func `what arrives is coded for the least delay`() {
        var protection = LossProtection()
        for second in 0..<100 {
            let hasChanged = protection.advance(
                lost: second < 3 ? nil : 0.01,
                before: Self.quiet,
                at: .seconds(second)
            )
            #expect(!hasChanged)
        }
        #expect(protection.settings.isLowDelay && protection.settings.expectedLoss == 0)
    }

    @Test func `some loss is guarded against where nothing is heard, and no longer than it lasts`() {
        var protection = LossProtection()
        let inSpeech = protection.advance(lost: 0.03, before: Self.loud, at: .seconds(1))
        let inPause = protection.advance(lost: 0.03, before: Self.quiet, at: .seconds(2))
        #expect(!inSpeech && inPause)
        #expect(!protection.settings.isLowDelay && protection.settings.expectedLoss == 0.03)
        let again = protection.advance(lost: 0.03, before: Self.loud, at: .seconds(3))
        let more = protection.advance(lost: 0.4, before: Self.loud, at: .seconds(4))
        #expect(!again && more)
        #expect(protection.settings.expectedLoss == 0.25)
        let soon = protection.advance(lost: 0, before: Self.quiet, at: .seconds(33))
        #expect(!soon && !protection.settings.isLowDelay)
        let later = protection.advance(lost: 0, before: Self.loud, at: .seconds(35))
        let quietly = protection.advance(lost: 0, before: Self.quiet, at: .seconds(36))
        #expect(!later && quietly && protection.settings.isLowDelay)
    }

    @Test func `much loss is guarded against at once`() {
        var protection = LossProtection()
        let hasChanged = protection.advance(lost: 0.1, before: Self.loud, at: .seconds(1))
        #expect(hasChanged && !protection.settings.isLowDelay && protection.settings.expectedLoss == 0.1)
    }
}
