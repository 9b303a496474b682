internal import Conversation
package import VoiceCore

/// What a simulation gave.
package struct SimulationResult: Sendable, Equatable {
    /// First sound of each answer minus last sound of the person, in milliseconds. An utterance that got no answer counts with
    /// the person's patience, 10 s; false starts are left out. In no order.
    package private(set) var voiceToVoice: [Double] = []
    /// Where the time went, of the turns that have all of it.
    package private(set) var tiles: [LatencyTiles] = []
    /// Utterances that were said to their end.
    package private(set) var utterances = 0
    /// Those that got no answer.
    package private(set) var unanswered = 0
    /// Answers that began before the person had finished.
    package private(set) var falseStarts = 0
    /// Answers that the person interrupted.
    package private(set) var interruptions = 0
    /// Times that an answer stopped in the middle because nothing was left to play.
    package private(set) var underruns = 0
    /// Quanta that the device's queue turned away, and sessions that could not begin.
    package private(set) var rejected = 0
    /// Turns whose answer was drafted before they were over.
    package private(set) var hits = 0
    /// Turns with a draft that was thrown away.
    package private(set) var misses = 0
    /// Tokens of all answers.
    package private(set) var generatedTokens = 0
    /// Those of drafts that were thrown away.
    package private(set) var wastedTokens = 0
    /// The share of the time that the device was taken, 0...1.
    package private(set) var deviceShare = 0.0
    /// The share of the processor's time that was used, 0...1, voice activity left out.
    package private(set) var processorShare = 0.0

    /// ``voiceToVoice`` as the other stack counts it: from when voice activity noticed the silence on, not from the last sound.
    package var voiceToVoiceAsPublished: [Double] {
        let window = SampleRate.speech.duration(ofSamples: TalkerTransport.frame)
        return voiceToVoice.map { $0 - (window * SimulatedVoiceActivity.lag).milliseconds }
    }

    init(rejected: Int = 0) { self.rejected = rejected }

    /// A session's part.
    init(_ notes: Talker.Notes, _ report: ConversationReport) {
        voiceToVoice = notes.voiceToVoice
        tiles = report.turns.compactMap(\.tiles)
        utterances = notes.utterances
        unanswered = notes.unanswered
        falseStarts = notes.falseStarts
        interruptions = notes.interruptions
        underruns = notes.underruns
        hits = report.turns.count { $0.speculation == .hit }
        misses = report.turns.count { $0.speculation == .miss }
        generatedTokens = report.summary.speculation.generatedTokens
        wastedTokens = report.summary.speculation.wastedTokens
    }

    mutating func add(_ other: SimulationResult) {
        voiceToVoice += other.voiceToVoice
        tiles += other.tiles
        utterances += other.utterances
        unanswered += other.unanswered
        falseStarts += other.falseStarts
        interruptions += other.interruptions
        underruns += other.underruns
        rejected += other.rejected
        hits += other.hits
        misses += other.misses
        generatedTokens += other.generatedTokens
        wastedTokens += other.wastedTokens
    }

    /// The sum of all sessions, with what the machine has to say.
    func over(_ duration: Duration, _ machine: SimulatedMachine, cores: Int) -> SimulationResult {
        var result = self
        result.rejected += machine.refused
        result.deviceShare = machine.busy / duration
        result.processorShare = machine.processor.busy / duration / Double(cores)
        return result
    }
}
