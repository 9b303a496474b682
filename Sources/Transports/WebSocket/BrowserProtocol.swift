package import VoiceCore

/// The browser's wire format: pure values to and from bytes. The page `docs/protocol.md` is its specification.
package enum BrowserProtocol {
    /// The version of the format.
    package static let version = 1
    /// The rates a page may ask for, in hertz.
    package static let rates = 8_000...96_000
    /// The most a typed message may hold, in UTF-16 code units (what `maxlength` of an HTML field counts).
    package static let maximumTextLength = 4_000
    /// The first byte of microphone audio.
    static let microphoneKind: UInt8 = 1
    /// The first byte of a reply's audio.
    static let replyKind: UInt8 = 2

    /// What a page says first.
    package struct Hello: Sendable, Equatable {
        /// The rate of the microphone audio that will come.
        package var microphone: SampleRate
        /// The rate at which the page wants replies.
        package var playout: SampleRate

        /// Makes a greeting.
        package init(microphone: SampleRate, playout: SampleRate) {
            self.microphone = microphone
            self.playout = playout
        }
    }

    /// A text message of the page.
    package enum ClientMessage: Sendable, Equatable {
        /// The greeting; must come first.
        case hello(Hello)
        /// How much of a reply has been played, in samples.
        case played(epoch: Int, samples: Int)
        /// A typed message, without white space around it; not empty.
        case text(String)
        /// Stop speaking.
        case interrupt
        /// Stop this job in the background.
        case cancelJob(String)
        /// A question whether the server lives, with a number to be sent back.
        case ping(Double)
        /// The end of the conversation.
        case bye
        /// A message of a later version, or one without content: nothing to do.
        case ignored
    }

    /// A text message of the server.
    package enum ServerMessage: Sendable, Equatable {
        /// The answer to `hello`, with the rate of replies.
        case ready(Welcome, playout: SampleRate)
        /// Forget this reply and earlier ones.
        case cut(epoch: Int)
        /// Be silent: forget what waits of this reply, more of it may come later.
        case pause(epoch: Int)
        /// News of the conversation.
        case event(SessionEvent)
        /// The answer to `ping`.
        case pong(Double)
        /// The end, with a close code, where the carrier has none of its own.
        case bye(code: UInt16)
    }
}
