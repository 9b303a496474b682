internal import Inference
package import VoiceCore

/// A frame of speech: 1024 samples at 22,050 Hz, once the codec has made sound of it.
package struct MagpieFrame: Sendable, Equatable {
    /// One code per codebook.
    package var codes: [Int32]
    /// The number of the text that it is part of.
    package var text: Int
    /// The token of that text that is being spoken: it never goes back, so a word ends where the pointer leaves it.
    package var token: Int
}

/// What a step gave.
package enum MagpieStep: Sendable, Equatable {
    /// The next frame.
    case frame(MagpieFrame)
    /// Nothing more: all texts have been spoken. Those with these numbers were cut off, because they had as many frames as a
    /// text can have.
    case end(truncated: [Int])
}

/// One utterance on a shared ``MagpieEngine``, frame by frame.
///
/// One task calls it, one call at a time. Cancellation is looked at before every frame, and before every layer of a text's
/// beginning. The seat is free again when the stream's last reference goes.
package actor MagpieStream {
    private let engine: MagpieEngine
    private let seat: StreamSeat
    private let urgency: Urgency
    private var utterance: MagpieUtterance
    private var truncated: [Int] = []

    init(engine: MagpieEngine, seat: StreamSeat, utterance: MagpieUtterance, urgency: Urgency) {
        self.engine = engine
        self.seat = seat
        self.utterance = utterance
        self.urgency = urgency
    }

    /// Computes the next frame.
    /// - Throws: ``VoiceError/Code/cancelled`` when the task was cancelled, ``VoiceError/Code/fault`` when computing failed;
    ///   the stream is then of no use any more.
    package func step() async throws(VoiceError) -> MagpieStep {
        while true {
            guard !Task.isCancelled else { throw VoiceError(.cancelled, "Speaking was cancelled.") }
            guard let text = utterance.text, !text.isOver, !text.isTruncated else {
                guard !utterance.waiting.isEmpty else {
                    await engine.rest(seat.slot)
                    return .end(truncated: truncated)
                }
                utterance = try await engine.begin(utterance, seat: seat.slot, urgency: urgency)
                continue
            }
            let request = MagpieEngine.Request(seat: seat.slot, utterance: utterance)
            let response = try await engine.step(request, urgency: urgency)
            utterance = response.utterance
            if let now = utterance.text, now.isTruncated { truncated.append(utterance.number) }
            guard let codes = response.codes else { continue }
            return .frame(MagpieFrame(codes: codes, text: utterance.number, token: utterance.text?.token ?? 0))
        }
    }
}
