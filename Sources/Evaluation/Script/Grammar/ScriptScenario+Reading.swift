internal import VoiceCore

extension ScriptScenario {
    static let keys = [
        "name", "turns", "user", "judge", "context", "stop_on_failure", "trigger_disconnect",
    ]
    /// What judges in Pipecat when the file does not say it.
    private static let usualJudge: JSONValue = [
        "service": "ollama", "model": "gemma4:12b", "extra": ["reasoning_effort": "none"],
    ]

    init(_ node: ScriptNode, name: String) throws(VoiceError) {
        guard let list = node["turns"]?.list else { throw node.refusal("'turns' must be a list") }
        self.name = name
        file = node.file
        judge = Self.usualJudge
        turns = []
        for turn in list { turns.append(try ScriptTurn(turn)) }
        if let messages = node["context"] {
            guard let list = messages.list else { throw messages.refusal("'context' must be a list of messages") }
            context = list.map(\.json)
        }
        triggersDisconnect = try node.flag(of: "trigger_disconnect") ?? false
        stopsOnFailure = try node.flag(of: "stop_on_failure") ?? true
        if let user = node["user"] { try read(user: user) }
        if let judge = node["judge"] { try read(judge: judge) }
        try check(node)
    }

    private mutating func read(user: ScriptNode) throws(VoiceError) {
        try user.allow(only: ["modality", "speech"], in: "'user'")
        personSpeaks = try user.choice(of: "modality", among: ["text", "audio"]) == "audio"
        guard personSpeaks, let speech = user["speech"] else { return }
        guard speech.members != nil else { throw speech.refusal("'speech' must be a mapping of keys and values") }
        voice = speech.json
    }

    private mutating func read(judge block: ScriptNode) throws(VoiceError) {
        try block.allow(only: ["modality", "eval", "transcription"], in: "'judge'")
        agentSpeaks = try block.choice(of: "modality", among: ["text", "audio"]) == "audio"
        if let eval = block["eval"] {
            guard let members = eval.members else { throw eval.refusal("'eval' must be a mapping of keys and values") }
            if !members.isEmpty { judge = eval.json }
        }
        guard agentSpeaks else { return }
        guard let transcription = block["transcription"], transcription.members != nil else {
            throw block.refusal("'modality: audio' needs a 'transcription' mapping: what hears the agent")
        }
        transcriber = transcription.json
    }

    /// What turns need of the blocks, and which event a `response` is.
    private mutating func check(_ node: ScriptNode) throws(VoiceError) {
        func refusal(_ line: Int, _ problem: String) -> VoiceError {
            VoiceError(.malformedInput, "\(file), line \(line): \(problem)")
        }
        for index in turns.indices {
            let turn = turns[index]
            if turn.recording != nil, !personSpeaks {
                throw refusal(turn.line, "a turn has 'audio', but the person types: set 'user.modality: audio'")
            }
            if turn.parts != nil, !personSpeaks {
                throw refusal(turn.line, "a turn pauses, but the person types: set 'user.modality: audio'")
            }
            if personSpeaks, voice == nil, turn.user != nil, turn.recording == nil {
                throw refusal(
                    turn.line,
                    "'user.modality: audio' needs a 'user.speech' mapping, or 'audio' in each turn"
                )
            }
            for place in turn.expect.indices where !agentSpeaks {
                if turn.expect[place].event == .ttsResponse {
                    throw refusal(
                        turn.expect[place].line,
                        "'tts_response' needs an agent that speaks: set 'judge.modality: audio', or expect 'response'"
                    )
                }
                if turn.expect[place].event == .response { turns[index].expect[place].event = .llmResponse }
            }
        }
    }
}
