package import VoiceCore

/// A message to an RTVI client. Source of the forms: Pipecat 1.14, `processors/frameworks/rtvi/models.py`.
package enum RTVIServerMessage: Sendable, Equatable {
    /// The answer to `client-ready`, with its id and the version that is spoken with this client.
    case ready(id: String, version: RTVIVersion, about: RTVIAbout)
    /// Something failed; after a fatal failure the session ends.
    case error(String, isFatal: Bool)
    /// The message with this id could not be followed.
    case errorResponse(id: String, String)
    /// News of the application.
    case message(JSONValue)
    /// The answer to a `client-message`.
    case response(id: String, type: String, data: JSONValue?)
    /// The person's turn begins or ends.
    case userSpeaking(Bool)
    /// Voice activity begins or ends, whatever it means for turns.
    case userVoice(Bool)
    /// The person is not heard from now on, or is again.
    case userMuted(Bool)
    /// What the person said. Deprecated since 2.2, but all that older clients know.
    case userTranscription(UserInput)
    /// What the person said or typed. From 2.2 on.
    case userInput(UserInput)
    /// What the language model is asked.
    case userLLMText(String)
    /// The agent begins or ends to be heard.
    case botSpeaking(Bool)
    /// What the agent was saying is cut off.
    case botInterrupted
    /// A piece of what the agent says, and how far it has come.
    case botOutput(BotOutput)
    /// The language model begins or ends.
    case botLLM(isBusy: Bool)
    /// The voice begins or ends.
    case botTTS(isBusy: Bool)
    /// A piece of the language model's text. Deprecated since 2.2.
    case botLLMText(String)
    /// Words that were spoken. Deprecated since 2.2.
    case botTTSText(String)
    /// A sentence of the language model. Deprecated.
    case botTranscription(String)
    /// What an engine made, as it made it. From 2.2 on.
    case raw(RawText)
    /// The marker that the language model put before its text.
    case botLLMMarker(text: String, kind: String?, raw: String, markers: [String])
    /// A function will be called.
    case functionStarted(name: String?)
    /// A function is being called.
    case functionInProgress(call: String, name: String?, arguments: JSONValue?)
    /// A function's call is over.
    case functionStopped(call: String, isCancelled: Bool, name: String?, result: JSONValue?)
    /// Sound of the voice: 16-bit samples in Base64.
    case botTTSAudio(base64: String, sampleRate: Int, channels: Int)
    /// Measurements.
    case metrics(JSONValue)
    /// The loudness of the person, in [0, 1].
    case userAudioLevel(Double)
    /// The loudness of the agent, in [0, 1].
    case botAudioLevel(Double)
    /// A line of a log.
    case systemLog(String)
    /// Something that the page is to do.
    case uiCommand(String, payload: JSONValue?)
    /// How far a group of jobs has come.
    case uiJobGroup(JSONValue)

    /// What the person said or typed.
    package struct UserInput: Sendable, Equatable {
        /// How it came.
        package enum Kind: String, Sendable { case transcription, chat, backchannel }

        /// The words.
        package var text: String
        /// How they came.
        package var kind = Kind.transcription
        /// When, in the form of ISO 8601.
        package var timestamp: String
        /// False while more may be understood.
        package var isFinal: Bool
        /// The id of the `send-text` message.
        package var message: String?
    }

    /// A piece of what the agent says.
    package struct BotOutput: Sendable, Equatable {
        /// How far the piece has come.
        package enum Status: String, Sendable {
            case new
            case inProgress = "in-progress"
            case completed
        }

        /// The whole piece.
        package var text: String
        /// Its number in the session.
        package var segment: Int
        /// False if it is only written.
        package var isSpoken: Bool
        /// How far it has come.
        package var status: Status
        /// What was heard of it: a prefix of the text.
        package var heard: String
    }

    /// What an engine made.
    package enum RawText: Sendable, Equatable {
        case recognised(UserInput)
        case generated(String)
        case spoken(String)
    }
}

/// What a client is told of the agent.
package struct RTVIAbout: Sendable, Equatable {
    /// The program.
    package var library: String
    /// The program's version.
    package var version: String

    /// Makes a description.
    package init(library: String, version: String) {
        self.library = library
        self.version = version
    }
}
