internal import Testing
internal import VoiceCore

@testable internal import Conversation

@Suite struct RestTests {
    private static let frame = Duration.milliseconds(20)

    @Test func `a rest begins after three seconds of quiet, and ends with the first sound`() {
        var rest = Rest()
        for _ in 0..<149 {
            let changes = rest.heard(Self.frame, isQuiet: true)
            #expect(!changes && !rest.isResting)
        }
        let begins = rest.heard(Self.frame, isQuiet: true)
        #expect(begins && rest.isResting)
        for _ in 0..<10_000 {
            let changes = rest.heard(Self.frame, isQuiet: true)
            #expect(!changes)
        }
        let ends = rest.heard(Self.frame, isQuiet: false)
        #expect(ends && !rest.isResting)
    }

    @Test func `any sound between begins the count again`() {
        var rest = Rest()
        for index in 0..<1_000 {
            let changes = rest.heard(Self.frame, isQuiet: index % 149 != 0)
            #expect(!changes && !rest.isResting)
        }
    }
}
