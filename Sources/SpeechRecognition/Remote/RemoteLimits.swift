internal import VoiceCore

/// How long a remote recogniser waits, and how much it keeps.
struct RemoteLimits: Sendable {
    /// From the beginning of a connection to the server's `ready`. The reference's client waits as long
    /// (`pipecat_bots/nvidia_stt.py`, commit 70363cd5).
    var connect = Duration.seconds(5)
    /// From the end of an utterance to its final transcript, where the audio was sent as it was spoken; and from options to
    /// the server's consent.
    var final = Duration.seconds(2)
    /// Between two attempts to connect: the first pause, doubled after every failure.
    var firstPause = Duration.milliseconds(250)
    /// The longest pause between two attempts.
    var longestPause = Duration.seconds(8)
    /// How often an utterance whose server fails may go to another server.
    var moves = 0
    /// A final transcript that takes longer makes somebody look after the server, if there are others.
    var patience = Duration.milliseconds(700)
    /// Audio kept while the server cannot take it, and for another server; the oldest beyond is dropped and counted.
    var queue = SampleRate.speech.samples(in: .seconds(10))
    /// Samples of one message at most.
    var message = SampleRate.speech.samples(in: .seconds(1))
    /// Final transcripts that the server may owe for utterances nobody waits for.
    var unwanted = 8
    /// Bytes of one message of the server at most.
    var messageBytes = 1 << 20
    /// Messages of the server that may wait to be looked at.
    var messages = 256

    /// The limits for one of so many servers.
    static func pool(of servers: Int) -> RemoteLimits {
        var limits = RemoteLimits()
        guard servers > 1 else { return limits }
        limits.moves = servers
        limits.connect = .seconds(2)
        limits.queue = SampleRate.speech.samples(in: .seconds(30))
        return limits
    }
}
