internal import Testing
internal import VoiceCore

@testable internal import Conversation

@Suite struct TurnTimelineTests {
    private func timeline() -> TurnTimeline {
        TurnTimeline(
            endpoint: TurnMachine.Endpoint(
                lastSpeech: .milliseconds(1000),
                silenceConfirmed: .milliseconds(1200),
                committed: .milliseconds(1210)
            ),
            transcript: .milliseconds(1230),
            firstToken: .milliseconds(1290),
            firstSegment: .milliseconds(1345),
            firstAudio: .milliseconds(1400),
            audible: .milliseconds(1405)
        )
    }

    @Test func `the tiles are the steps between the moments`() {
        let expected = LatencyTiles(
            endpointWait: 200,
            turnDetection: 10,
            asrFinal: 20,
            llmFirstToken: 60,
            llmFirstSegment: 55,
            ttsFirstAudio: 55,
            output: 5
        )
        #expect(timeline().tiles == expected)
        #expect(timeline().voiceToVoice == 405)
    }

    @Test func `moments out of order or missing never break the sum`() {
        var timeline = timeline()
        timeline.firstToken = .milliseconds(1100)
        timeline.firstSegment = nil
        timeline.firstAudio = .milliseconds(9000)
        #expect(timeline.tiles?.total == timeline.voiceToVoice)
        #expect(timeline.tiles?.llmFirstToken == 0)
    }

    @Test func `a turn that was never heard has no time`() {
        var timeline = timeline()
        timeline.audible = nil
        #expect(timeline.voiceToVoice == nil)
        #expect(timeline.tiles == nil)
    }
}
