internal import VoiceCore

/// How long a remote voice waits, and how much it keeps.
struct RemoteSpeechLimits: Sendable {
    /// From the beginning of a connection to the server's `stream_created`.
    var connect = Duration.seconds(5)
    /// From a text to its first audio, and between two messages about it. A server that makes a whole sentence before it sends
    /// any of it takes the time of that.
    var silence = Duration.seconds(10)
    /// How often a text whose connection is lost before its first audio is sent again to the same server.
    var repeats = 1
    /// First audio that takes longer makes somebody look after the server, if there are others.
    var patience = Duration.milliseconds(700)
    /// Bytes of one message of the server at most.
    var messageBytes = 1 << 20
    /// Messages of the server that may wait; then it is not read.
    var messages = 256
    /// Connections that are kept for the next text.
    var idleLines = 4

    /// The limits for one of so many servers: where there are others, one that fails is left at once.
    static func pool(of servers: Int) -> RemoteSpeechLimits {
        var limits = RemoteSpeechLimits()
        guard servers > 1 else { return limits }
        limits.repeats = 0
        limits.connect = .seconds(2)
        return limits
    }
}
