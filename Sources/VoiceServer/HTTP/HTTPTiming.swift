internal import VoiceCore

/// A server's bounds in time, but for those of its WebSockets.
package struct HTTPTiming: Sendable {
    /// How often the other bounds are looked at.
    package var tick: Duration = .milliseconds(250)
    /// How long a client may take for a request, also from the end of the last response, and between pieces of content.
    package var requestTimeout: Duration = .seconds(10)
    /// How long a client may take to send a request's content, where it is wanted.
    package var bodyTimeout: Duration = .seconds(120)
    /// How long a client may take to accept a response, or a piece of one.
    package var responseTimeout: Duration = .seconds(30)
    /// How long a client may take to close after the last response.
    package var lingerTimeout: Duration = .seconds(1)
    /// How long a session may take to end by itself when its page has gone.
    package var sessionGrace: Duration = .seconds(2)
}
