internal import Testing
internal import VoiceCore

struct UrgencyTests {
    @Test func `a part is as pressing as the whole, or less, never more`() {
        let whole = Urgency(.speculation, owner: 3, epoch: 7)
        let part = Urgency(partOf: whole)
        #expect(part.owner == 3 && part.epoch == 7)
        #expect(part.level == .speculation)
        whole.level = .firstAudio
        #expect(part.level == .firstAudio)
        part.level = .refill(by: nil)
        #expect(part.level == .refill(by: nil) && whole.level == .firstAudio)
        whole.level = .refill(by: .seconds(1))
        #expect(part.level == .refill(by: .seconds(1)))
        whole.level = .speculation
        #expect(part.level == .speculation)
    }
}
