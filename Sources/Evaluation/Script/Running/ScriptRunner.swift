internal import Audio
package import VoiceCore

/// Plays scenarios with an agent that is called as a Pipecat client would call it.
package struct ScriptRunner: Sendable {
    /// What the agent said aloud.
    private struct Voice: Sendable {
        var samples: [Float]
        var rate: SampleRate
        var began: Duration
    }

    /// Something for the machine.
    private enum Input: Sendable {
        case message(String, at: Duration)
        case speech(Voice)
        case transcript(String, began: Duration)
        case verdict(JudgeVerdict)
        case ended(VoiceError?)
        case broke(ScriptFailure.Kind, VoiceError)
        case tick
    }

    private static let step = Duration.milliseconds(10)

    private let agent: ScriptedAgent
    private let recognizer: (any SpeechRecognizer)?
    private let person: PersonVoice
    private let judge: (any ScriptJudge)?
    private let limits: ScriptMachine.Limits
    private let clock: any SessionClock

    /// Makes a runner; it plays any number of scenarios, also side by side.
    ///
    /// - Parameters:
    ///   - agent: is called for each run.
    ///   - recognizer: hears the agent, where a scenario is about what it says aloud; nil where none is.
    ///   - person: speaks for the person.
    ///   - judge: decides `eval` criteria; nil where there are none.
    package init(
        agent: @escaping ScriptedAgent,
        recognizer: (any SpeechRecognizer)?,
        person: PersonVoice,
        judge: (any ScriptJudge)?,
        limits: ScriptMachine.Limits = ScriptMachine.Limits(),
        clock: any SessionClock
    ) {
        self.agent = agent
        self.recognizer = recognizer
        self.person = person
        self.judge = judge
        self.limits = limits
        self.clock = clock
    }

    /// Plays a scenario once.
    ///
    /// - Throws: when a recording cannot be read, or the person's voice fails. What goes wrong with the agent is a failed result.
    package func play(_ scenario: ScriptScenario, run: Int = 1) async throws(VoiceError) -> ScriptResult {
        if !scenario.criteria.isEmpty, judge == nil {
            throw VoiceError(.usage, "\(scenario.name) has 'eval' criteria, and there is no judge")
        }
        let speech = scenario.personSpeaks ? try await person.speak(scenario) : []
        clock.workBegan()
        defer { clock.workEnded() }
        return try await play(scenario, speech, run)
    }

    private func play(
        _ scenario: ScriptScenario,
        _ speech: [[Float]],
        _ run: Int
    ) async throws(VoiceError) -> ScriptResult {
        let inputs = Mailbox<Input>(capacity: 16_384, overflow: .refuseNewest, clock: clock)
        let voices = Mailbox<Voice>(capacity: 64, overflow: .refuseNewest, clock: clock)
        let line = try agent(scenario) { [clock] arrival in
            switch arrival {
            case .message(let json): inputs.send(.message(json, at: clock.now))
            case .speech(let samples, let rate, let began):
                inputs.send(.speech(Voice(samples: samples, rate: rate, began: began)))
            }
        }
        let microphone = Microphone(line: line, isOpen: scenario.personSpeaks)
        var machine = ScriptMachine(scenario, limits: limits, at: clock.now)
        await withTaskGroup(of: Void.self) { group in
            add(to: &group) {
                do throws(VoiceError) {
                    try await line.run()
                    inputs.send(.ended(nil))
                } catch { inputs.send(.ended(error)) }
            }
            add(to: &group) { await passTime(line, microphone) { inputs.send(.tick) } }
            add(to: &group) { await transcribe(voices) { inputs.send($0) } }
            line.call()
            var isOver = false
            while !isOver, let input = await inputs.next() {
                for action in take(input, &machine, voices) {
                    switch action {
                    case .finish: isOver = true
                    case .act(let turn): act(turn, scenario, speech, line, microphone)
                    case .ask(let question): add(to: &group) { inputs.send(await decide(question)) }
                    }
                }
            }
            line.hangUp()
            group.cancelAll()
        }
        if inputs.dropped > 0 || voices.dropped > 0 {
            _ = machine.broke(.error, "the agent sent more at once than could be looked at")
        }
        return machine.result(run: run, at: clock.now)
    }

    // MARK: - What comes

    private func take(
        _ input: Input,
        _ machine: inout ScriptMachine,
        _ voices: Mailbox<Voice>
    ) -> [ScriptMachine.Action] {
        switch input {
        case .message(let json, let at): return JSONValue(json: json).map { machine.receive($0, at: at) } ?? []
        case .speech(let voice):
            // Nobody asks what the agent said aloud.
            guard machine.scenario.hearsAgent else { return [] }
            machine.transcriptionBegan()
            voices.send(voice)
            return []
        case .transcript(let text, let began): return machine.transcribed(text, began: began, at: clock.now)
        case .verdict(let verdict): return machine.decided(verdict, at: clock.now)
        case .ended(nil): return machine.agentEnded(at: clock.now)
        case .ended(let error?): return machine.broke(.error, "\(error)")
        case .broke(let kind, let error): return machine.broke(kind, "\(error)")
        case .tick: return machine.tick(at: clock.now)
        }
    }

    private func act(
        _ turn: ScriptTurn,
        _ scenario: ScriptScenario,
        _ speech: [[Float]],
        _ line: any ScriptLine,
        _ microphone: Microphone
    ) {
        if let keys = turn.keys {
            line.tell("dtmf", ["buttons": .array(keys.map { .string(String($0)) })])
        } else if scenario.personSpeaks {
            if let index = scenario.turns.firstIndex(of: turn), index < speech.count { microphone.say(speech[index]) }
        } else if let text = turn.user {
            let options: JSONValue = ["run_immediately": true, "audio_response": .bool(scenario.agentSpeaks)]
            line.tell("send-text", ["content": .string(text), "options": options])
        }
    }

    private func decide(_ question: JudgeQuestion) async -> Input {
        do throws(VoiceError) {
            guard let judge else { throw VoiceError(.usage, "there is no judge") }
            return .verdict(try await judge.decide(question))
        } catch { return .broke(.judgeNoVerdict, error) }
    }

    // MARK: - The run's tasks

    private func add(to group: inout TaskGroup<Void>, _ body: @escaping @Sendable () async -> Void) {
        clock.workBegan()
        group.addTask { [clock] in
            await body()
            clock.workEnded()
        }
    }

    /// Tells the time, and what the microphone hears.
    private func passTime(_ line: any ScriptLine, _ microphone: Microphone, _ tick: @Sendable () -> Void) async {
        var next = clock.now
        while true {
            next += Self.step
            guard (try? await clock.sleep(until: next)) != nil else { return }
            microphone.hear(Self.step)
            line.tick()
            tick()
        }
    }

    /// Hears what the agent said, one piece after the other.
    private func transcribe(_ voices: Mailbox<Voice>, _ report: @Sendable (Input) -> Void) async {
        var stream: (any RecognizerStream)?
        while let voice = await voices.next() {
            do throws(VoiceError) {
                guard let recognizer else { throw VoiceError(.usage, "nothing hears what the agent says aloud") }
                let open: any RecognizerStream
                if let stream { open = stream } else { open = try await recognizer.openStream() }
                stream = open
                _ = try await open.feed(Resampler.convert(voice.samples, from: voice.rate, to: .speech))
                report(.transcript(try await open.finish().text, began: voice.began))
                try await open.reset()
            } catch { report(.broke(.error, error)) }
        }
    }
}
