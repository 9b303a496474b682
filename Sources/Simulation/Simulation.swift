package import Conversation
internal import Inference
internal import Logging
package import VoiceCore

/// Many voice sessions on one machine, in simulated time.
///
/// Sessions are whole ``Conversation/Conversation``s, with their turn machine, reply loop and playout; the machine's lane is the
/// real one. Only people, engines and the passing of time are simulated. The same values give the same result.
package struct Simulation: Sendable, Equatable {
    /// Streams that share a recogniser's step, as in `NemotronEngine`.
    private static let recognizerBatch = 16

    /// The machine.
    package var device: DeviceModel
    /// How answers are made. `reference` is the other stack with its own costs where they were published, else its policy with
    /// our engines.
    package var policy: ReplyPolicy
    /// How many people talk to it.
    package var sessions: Int
    /// For how long.
    package var duration: Duration
    /// Of everything that is random.
    package var seed: UInt64
    /// Chats, or voices, that share a step. Our engines do not share any yet: 1.
    package var batch: Int
    /// How people talk.
    package var habits: TalkerHabits
    /// When silence becomes speech and speech silence.
    package var voiceActivity: VoiceActivityGate.Configuration

    /// Makes a simulation.
    package init(
        device: DeviceModel,
        policy: ReplyPolicy,
        sessions: Int,
        duration: Duration = .seconds(600),
        seed: UInt64 = 1,
        batch: Int = 1,
        habits: TalkerHabits = TalkerHabits(),
        voiceActivity: VoiceActivityGate.Configuration = VoiceActivityGate.Configuration()
    ) {
        self.device = device
        self.policy = policy
        self.sessions = sessions
        self.duration = duration
        self.seed = seed
        self.batch = batch
        self.habits = habits
        self.voiceActivity = voiceActivity
    }

    /// Whether the costs are the other stack's, as published.
    package var isPublished: Bool { policy == .reference && device.published != nil }

    /// Lets all sessions talk, on the calling thread, which it blocks.
    package func run() throws(VoiceError) -> SimulationResult {
        try VirtualTime.run { time in await talk(in: time) }
    }

    /// What all sessions share.
    private struct Shared {
        var machine: SimulatedMachine
        var voiceActivity = EngineThread()
        var turnDetector: EngineThread?
        var voice = EngineThread()
        var recognition: SimulatedRecognizer.Engine
        var decoding: SharedSteps
        var frames: SharedSteps
    }

    private func talk(in time: VirtualTime) async -> SimulationResult {
        let shared = shared(in: time)
        let result = await withTaskGroup(of: SimulationResult.self) { group in
            for session in 1...sessions {
                group.addTask { await self.talk(session, shared) }
            }
            var result = SimulationResult()
            var parts: [SimulationResult] = []
            for await part in group { parts.append(part) }
            for part in parts { result.add(part) }
            return result
        }
        return result.over(duration, shared.machine, cores: device.cores)
    }

    private func shared(in time: VirtualTime) -> Shared {
        let machine = SimulatedMachine(device, published: isPublished ? device.published : nil, time: time)
        let costs = machine.costs
        func steps(_ cost: StepCost, threads: Int, batch: Int) -> SharedSteps {
            SharedSteps(machine, cost: cost, threads: threads, largestBatch: batch)
        }
        let threads = costs.recognition.threads
        return Shared(
            machine: machine,
            turnDetector: costs.verdict.isShared ? EngineThread() : nil,
            recognition: SimulatedRecognizer.Engine(
                steps: steps(costs.recognition.step, threads: threads, batch: Self.recognizerBatch),
                finals: steps(costs.recognition.final, threads: threads, batch: Self.recognizerBatch),
                crowd: Crowd()
            ),
            decoding: steps(costs.language.decode, threads: costs.language.threads, batch: batch),
            frames: steps(costs.voice.frame, threads: 1, batch: batch)
        )
    }

    private func talk(_ session: Int, _ shared: Shared) async -> SimulationResult {
        let machine = shared.machine
        let talker = Talker(habits, seed: seed, number: session)
        let transport = TalkerTransport(talker, time: machine.time, end: duration)
        var configuration = ConversationConfiguration(greeting: "")
        // Nobody hears the agent's voice through a microphone here.
        configuration.cancelsEcho = false
        configuration.policy = policy
        configuration.voiceActivity = voiceActivity
        let conversation = Conversation(
            engines: engines(session, transport, shared),
            configuration: configuration,
            clock: machine.time,
            logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            let report = try await conversation.run(over: transport)
            return SimulationResult(transport.notes, report)
        } catch {
            return SimulationResult(rejected: 1)
        }
    }

    private func engines(_ session: Int, _ transport: TalkerTransport, _ shared: Shared) -> Engines {
        let machine = shared.machine
        return Engines(
            voiceActivity: SimulatedVoiceActivity(machine: machine, thread: shared.voiceActivity),
            turnDetector: SimulatedTurnDetector(machine: machine, thread: shared.turnDetector, talker: transport),
            recognizer: SimulatedRecognizer(
                machine: machine,
                engine: shared.recognition,
                talker: transport,
                session: session
            ),
            languageModel: SimulatedLanguageModel(
                machine: machine,
                decoding: shared.decoding,
                habits: habits,
                seed: seed,
                session: session,
                // Segments of the reference policy: 24 tokens at first, 32 at a time later.
                tokensPerRequest: policy == .reference ? 24 : nil
            ),
            synthesizer: SimulatedSynthesizer(
                machine: machine,
                frames: shared.frames,
                thread: shared.voice,
                habits: habits,
                session: session
            )
        )
    }
}
