public import VoiceCore

/// A voice of a synthesis server.
public struct ServedVoice: Sendable {
    /// What clients call it; case does not count.
    public var name: String
    /// What speaks.
    public var synthesizer: any SpeechSynthesizer
    /// The languages it speaks, as tags like `en`.
    public var languages: [String]

    /// Makes a voice.
    public init(name: String, synthesizer: any SpeechSynthesizer, languages: [String] = ["en"]) {
        self.name = name
        self.synthesizer = synthesizer
        self.languages = languages
    }

    /// Whether it speaks the language of a tag like `en` or `en-US`.
    func speaks(_ language: String) -> Bool {
        // BCP 47, section 2.1: the first subtag is the language.
        let wanted = language.lowercased().prefix { $0 != "-" && $0 != "_" }
        return languages.contains { $0.lowercased().prefix { $0 != "-" } == wanted }
    }
}

/// The voices of a synthesis server, by the names that clients ask for.
public struct VoiceTable: Sendable {
    /// What a name stands for.
    enum Finding: Sendable {
        /// A voice, by its name or an alias.
        case voice(ServedVoice)
        /// A voice that clients of other servers ask for without anybody's choosing it; the standard voice speaks for it.
        case foreign
        /// Nothing.
        case unknown
    }

    /// All voices, in the order in which they are listed.
    public let voices: [ServedVoice]
    /// Who speaks when nobody was asked for.
    public let standard: ServedVoice
    /// Other names, lower-cased, and the voices that they stand for.
    public let aliases: [String: String]

    /// The defaults of pipecat-ai/nemotron-january-2026 @ 70363cd (`SPEAKERS` of src/nemotron_speech/tts_server.py) and of
    /// OpenAI's endpoint (platform.openai.com, API reference, "Create speech").
    private static let foreign: Set<String> = [
        "aria", "john", "sofia", "jason", "leo",
        "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer",
        "verse",
    ]

    /// Makes a table.
    /// - Parameters:
    ///   - voices: at least one, with different names.
    ///   - standard: the name of the one that speaks unless another is asked for; nil for the first.
    ///   - aliases: other names, and the voices that they stand for.
    /// - Throws: ``VoiceError/Code/usage`` for a name that no voice has, or that several have.
    public init(
        _ voices: [ServedVoice],
        standard: String? = nil,
        aliases: [String: String] = [:]
    ) throws(VoiceError) {
        func find(_ name: String, for what: String) throws(VoiceError) -> ServedVoice {
            guard let voice = voices.first(where: { $0.name.lowercased() == name.lowercased() }) else {
                let names = voices.map(\.name).joined(separator: ", ")
                throw VoiceError(.usage, "\(what): there is no voice '\(name)'; there are \(names)")
            }
            return voice
        }
        guard let first = voices.first else { throw VoiceError(.usage, "a synthesis server needs a voice") }
        guard Set(voices.map { $0.name.lowercased() }).count == voices.count else {
            throw VoiceError(.usage, "two voices have the same name")
        }
        self.voices = voices
        self.standard = try standard.map { (name) throws(VoiceError) in try find(name, for: "the voice") } ?? first
        var known: [String: String] = [:]
        for (alias, name) in aliases { known[alias.lowercased()] = try find(name, for: "the alias '\(alias)'").name }
        self.aliases = known
    }

    /// What a client means by a name; nil means the standard voice.
    func find(_ name: String?) -> Finding {
        guard let name = name?.lowercased() else { return .voice(standard) }
        let wanted = voices.contains { $0.name.lowercased() == name } ? name : aliases[name]?.lowercased() ?? name
        if let voice = voices.first(where: { $0.name.lowercased() == wanted }) { return .voice(voice) }
        return Self.foreign.contains(name) ? .foreign : .unknown
    }

    /// The languages of all voices.
    var languages: [String] { Set(voices.flatMap(\.languages)).sorted() }

    /// What to say about a name that no voice has.
    func complaint(about name: String) -> String {
        "there is no voice '\(name.prefix(40))', only \(voices.map(\.name).joined(separator: ", "))"
    }
}
