internal import Audio
package import VoiceCore

/// A conversation as two channels on one clock: the person left, the agent right.
///
/// The agent's audio is laid where it is played, not where it was sent: the first frame of a reply plays at once, the
/// next ones follow it without gap, and a cut silences what was sent ahead.
package struct StereoRecording: Sendable {
    /// The rate of both channels.
    package let rate: SampleRate
    /// The person's microphone at its own rate.
    private var microphone: [Float] = []
    private let microphoneRate: SampleRate
    /// The agent's voice at ``rate``.
    private var voice: [Float] = []
    private var epoch = 0
    /// Where sample 0 of the running reply lies in `voice`.
    private var replyStart = 0
    /// True from a cut until the next frame.
    private var isCut = false

    /// Makes an empty recording.
    package init(rate: SampleRate, microphoneRate: SampleRate) {
        self.rate = rate
        self.microphoneRate = microphoneRate
    }

    /// Adds the next samples of the microphone.
    package mutating func hear(_ samples: [Float]) { microphone += samples }

    /// Lays a frame of the agent that was sent `time` after the recording began.
    package mutating func play(_ frame: PlayoutFrame, at time: Duration) {
        let now = rate.samples(in: time)
        if frame.epoch != epoch || isCut {
            isCut = false
            epoch = frame.epoch
            replyStart = now - frame.audio.position
        }
        // A frame that comes later than the end of the one before it moves the rest of the reply back.
        replyStart = max(replyStart, now - frame.audio.position - frame.audio.samples.count)
        let first = max(0, replyStart + frame.audio.position)
        if voice.count < first { voice += [Float](repeating: 0, count: first - voice.count) }
        let overlap = voice.count - first
        if overlap > 0 { voice.removeLast(min(overlap, voice.count)) }
        voice += frame.audio.samples
    }

    /// Silences what would play after `time`, with a short fade.
    package mutating func cut(at time: Duration) {
        isCut = true
        let now = rate.samples(in: time)
        guard now < voice.count else { return }
        let tail = GainRamp.cut(Array(voice[now...]), at: rate)
        voice.removeSubrange(now...)
        voice += tail
    }

    /// Both channels at ``rate``, equally long.
    package func channels() -> (person: [Float], agent: [Float]) {
        var person = Resampler.convert(microphone, from: microphoneRate, to: rate)
        var agent = voice
        let length = max(person.count, agent.count)
        person += [Float](repeating: 0, count: length - person.count)
        agent += [Float](repeating: 0, count: length - agent.count)
        return (person, agent)
    }

    /// Writes a stereo WAV file, 16 bit.
    package func write(path: String) throws(VoiceError) {
        let (person, agent) = channels()
        var writer = try WAVWriter(path: path, rate: rate, channels: 2)
        try writer.append(left: person, right: agent)
        try writer.finish()
    }
}
