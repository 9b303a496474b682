/// What a step costs: the first stream of it, and each that shares it.
struct StepCost: Sendable, Equatable {
    /// With one stream.
    var alone: Duration
    /// For each further one.
    var further: Duration = .zero

    /// With so many streams.
    func of(_ streams: Int) -> Duration { alone + further * (streams - 1) }
}

/// What the steps of one stack of engines cost on one machine.
struct StackCosts: Sendable, Equatable {
    /// A recogniser.
    struct Recognition: Sendable, Equatable {
        /// One chunk.
        var step: StepCost
        /// A final transcript, or what it would be.
        var final: StepCost
        /// Processor threads of a step, where the processor is the device.
        var threads = 1
    }

    /// A language model.
    struct Language: Sendable, Equatable {
        /// Reading a slice of a prompt, however long.
        var prefill: Duration
        /// And for each of its tokens.
        var prefillToken: Duration
        /// One token.
        var decode: StepCost
        /// What a request costs that is not the device's time: connection, text to tokens, the search for a slot. A reply is
        /// several requests where its policy makes them. Zero in one process.
        var request: Duration = .zero
        /// Processor threads of a step, where the processor is the device.
        var threads = 1
    }

    /// A voice.
    struct Voice: Sendable, Equatable {
        /// From text to first audio with nothing else on the device.
        var firstAudio: Duration
        /// Frames of the first audio.
        var firstFrames: Int
        /// One frame more.
        var frame: StepCost
        /// How long a frame sounds.
        var frameLength: Duration
        /// Whether it computes on a processor thread of its own rather than on the device.
        var hasOwnThread = false
    }

    /// Smart Turn, which computes on the processor.
    struct Verdict: Sendable, Equatable {
        var cost: Duration
        var threads: Int
        /// Whether all sessions share one detector, which serves one after the other.
        var isShared = true
    }

    var recognition: Recognition
    var language: Language
    var voice: Voice
    var verdict: Verdict
    /// A window of voice activity, on a thread that all sessions share.
    var voiceActivityWindow: Duration
}
