internal import Conversation
internal import VoiceCore

/// What the language model thinks of a recording's words up to a sample, each asked once.
actor WordsJudge {
    /// Where the words come from.
    enum Source {
        /// The list of the set: what a recogniser would write that makes no mistakes.
        case spoken
        /// A recogniser that hears the recording up to there.
        case recognised(any SpeechRecognizer)
    }

    private let chat: any Chat
    private let source: Source
    /// By the recording's digest and the sample; nil where no words are known.
    private var words: [String: String?] = [:]
    private var judgements: [String: Float?] = [:]

    init(_ model: any LanguageModel, source: Source) async throws(VoiceError) {
        guard model.judgesCompleteness else {
            throw VoiceError(.usage, "\(model.name) does not judge words. Use a language model in this process.")
        }
        chat = try await model.openChat()
        self.source = source
    }

    /// The words of a turn.
    /// - Parameters:
    ///   - samples: the whole recording, mono, 16 kHz.
    ///   - digest: ``VerdictCache/digest(of:)`` of it.
    ///   - start: where the turn begins.
    ///   - position: up to where it is heard.
    /// - Returns: nil where they are not known, or nothing was understood.
    func words(
        of recording: PausedRecording,
        _ samples: [Float],
        digest: String,
        from start: Int,
        to position: Int
    ) async throws(VoiceError) -> String? {
        let key = "\(digest)-\(position)"
        if let known = words[key] { return known }
        let found: String?
        switch source {
        case .spoken: found = recording.words(upTo: SampleRate.speech.duration(ofSamples: position))
        case .recognised(let recognizer):
            let stream = try await recognizer.openStream()
            _ = try await stream.feed(Array(samples[min(start, position)..<min(position, samples.count)]))
            let text = try await stream.finish().text
            found = text.isEmpty ? nil : text
        }
        words[key] = .some(found)
        return found
    }

    /// How likely these words are complete; nil where the model cannot tell.
    func completeness(of text: String) async throws(VoiceError) -> Float? {
        if let known = judgements[text] { return known }
        var options = ChatOptions()
        options.judgesCompleteness = true
        var sampling = SamplingOptions()
        sampling.maxTokens = 1
        let messages = [
            ChatMessage(.system, ConversationConfiguration.defaultSystemPrompt), ChatMessage(.user, text),
        ]
        var found: Float?
        do {
            for try await event in chat.reply(to: messages, sampling: sampling, options: options, urgency: nil) {
                if case .completeness(let probability) = event { found = probability }
            }
        } catch {
            throw VoiceError.wrapping(error, doing: "the language model failed")
        }
        judgements[text] = .some(found)
        return found
    }
}
