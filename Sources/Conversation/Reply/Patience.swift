internal import VoiceCore

/// When a person has waited for long enough to be told that it takes a moment.
///
/// A value. Waiting counts from when the model is asked and the reply may be heard; in the middle of a reply, from when all that it has said was
/// played. Once in a reply.
struct Patience: Sendable {
    /// Where an engine said that it failed: as for slow tools (``ToolPolicy/fillerDelay``).
    static let afterFailure = Duration.milliseconds(800)
    /// Where nothing is known but that nothing comes.
    static let afterSilence = Duration.milliseconds(1500)

    /// Since when the model is asked and has said nothing; nil while it is not.
    private var asked: Duration?
    /// Since when the reply may be heard; nil while it is held.
    private var opened: Duration?
    private var isDelayed = false
    /// Whether there is anything to hear.
    private(set) var hasSpoken = false
    /// Whether enough was said about waiting.
    private(set) var isOver = false

    /// The reply may be heard.
    mutating func open(at now: Duration) { opened = now }

    /// The model is asked.
    mutating func ask(at now: Duration) { asked = now }

    /// Something failed, and something else goes on with it.
    mutating func delay(at now: Duration) {
        isDelayed = true
        asked = asked ?? now
    }

    /// Words go to the voice.
    mutating func speak() {
        asked = nil
        isDelayed = false
        hasSpoken = true
    }

    /// The model has nothing to say for now.
    mutating func rest() {
        asked = nil
        isDelayed = false
    }

    /// Nothing more is to be said about waiting.
    mutating func end() { isOver = true }

    /// When the person has waited for long enough, if nothing happens before; nil for never.
    /// - Parameter dry: when all that the reply has said so far was played, or will have been.
    func due(dry: Duration?) -> Duration? {
        guard !isOver, let asked, let opened else { return nil }
        let since = max(asked, opened, hasSpoken ? dry ?? .zero : .zero)
        if isDelayed { return since + Self.afterFailure }
        return hasSpoken ? nil : since + Self.afterSilence
    }
}
