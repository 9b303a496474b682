internal import Testing

@testable internal import Conversation

@Suite struct VoiceActivityGateTests {
    /// The edges for a string of windows: `#` is speech, `.` is not.
    private func edges(
        _ windows: String,
        _ configuration: VoiceActivityGate.Configuration = VoiceActivityGate.Configuration(),
        agentIsSpeaking: Bool = false
    ) -> [[VoiceActivityGate.Edge]] {
        var gate = VoiceActivityGate(configuration: configuration, windowLength: 512)
        return windows.map { gate.advance(probability: $0 == "#" ? 0.9 : 0.1, agentIsSpeaking: agentIsSpeaking) }
    }

    @Test func `three windows of speech start an utterance`() {
        #expect(edges("..###") == [[], [], [.onset(position: 1024)], [], [.started]])
    }

    @Test func `a click is a false onset`() {
        #expect(edges("##.") == [[.onset(position: 0)], [], [.falseOnset]])
    }

    @Test func `while the agent speaks, a window must be likelier speech to count`() {
        var gate = VoiceActivityGate(configuration: VoiceActivityGate.Configuration(), windowLength: 512)
        #expect(gate.advance(probability: 0.65, agentIsSpeaking: true) == [])
        #expect(gate.advance(probability: 0.65, agentIsSpeaking: false) == [.onset(position: 512)])
    }

    @Test func `how much speech starts an utterance over the agent is set apart`() {
        var configuration = VoiceActivityGate.Configuration()
        configuration.startWhileSpeaking = .milliseconds(192)
        var gate = VoiceActivityGate(configuration: configuration, windowLength: 512)
        let found = (0..<6).map { _ in gate.advance(probability: 0.9, agentIsSpeaking: true).last }
        #expect(found == [.onset(position: 0), nil, nil, nil, nil, .started])
    }

    @Test func `silence hushes after one window and stops after four`() {
        let found = edges("####......")
        #expect(found[4] == [.hush(lastSpeech: 4 * 512)])
        #expect(found[7] == [.stopped(lastSpeech: 4 * 512)])
        #expect(found[4...].flatMap { $0 }.count == 2)
    }

    @Test func `a pause that is being answered is over: speech in it is an interruption`() {
        var gate = VoiceActivityGate(configuration: VoiceActivityGate.Configuration(), windowLength: 512)
        for window in "####.." { _ = gate.advance(probability: window == "#" ? 0.9 : 0.1, agentIsSpeaking: false) }
        let found = (0..<6).map { _ in gate.advance(probability: 0.9, agentIsSpeaking: true) }
        #expect(found[0] == [.stopped(lastSpeech: 4 * 512), .onset(position: 6 * 512)])
        #expect(found[1] == [])
        #expect(found[2] == [.started])
    }

    @Test func `speech after a hush resumes, before it nothing happened`() {
        #expect(edges("####.#")[5] == [.resumed(position: 5 * 512)])
        var configuration = VoiceActivityGate.Configuration()
        configuration.hush = .milliseconds(64)
        #expect(edges("####..#", configuration)[6] == [.resumed(position: 6 * 512)])
        #expect(edges("####.#", configuration)[5] == [])
    }
}
