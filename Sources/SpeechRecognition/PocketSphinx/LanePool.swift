internal import Synchronization
internal import VoiceCore

/// Lends lanes for utterances. One that comes back is used again before a new one is made, by its last speaker first.
final class LanePool: Sendable {
    /// Tells one stream from the others.
    typealias Speaker = Int

    /// A lane that nobody uses.
    private struct Idle {
        var lane: PocketSphinxLane
        var speaker: Speaker?
        var since: ContinuousClock.Instant
    }

    private struct State {
        var streams = 0
        var lastSpeaker: Speaker = 0
        /// The one that came back last comes last.
        var idle: [Idle] = []
        /// Who has which lane.
        var speakers: [ObjectIdentifier: Speaker] = [:]
    }

    /// How long a lane more than ``maximumIdle`` waits for its next utterance: as many people may speak at once again soon.
    private static let patience = Duration.seconds(60)

    private let model: PocketSphinxModel
    private let maximumStreams: Int
    private let maximumIdle: Int
    private let state = Mutex(State())

    init(model: PocketSphinxModel, maximumStreams: Int, maximumIdle: Int) {
        self.model = model
        self.maximumStreams = maximumStreams
        self.maximumIdle = maximumIdle
    }

    /// How many lanes are lent.
    var speaking: Int { state.withLock { $0.speakers.count } }

    /// Counts a stream in.
    /// - Throws: `exhausted` when as many as may be are open.
    func enter() throws(VoiceError) -> Speaker {
        let speaker: Speaker? = state.withLock { state in
            guard state.streams < maximumStreams else { return nil }
            state.streams += 1
            state.lastSpeaker += 1
            return state.lastSpeaker
        }
        guard let speaker else {
            throw VoiceError(
                .exhausted,
                "all \(maximumStreams) recognisers are in use; close a session or raise the limit"
            )
        }
        return speaker
    }

    /// Counts a stream out.
    func leave() { state.withLock { $0.streams -= 1 } }

    /// Lends a lane, the speaker's last one if nobody else had it since; its model may have to be loaded yet.
    func take(for speaker: Speaker?) -> PocketSphinxLane {
        state.withLock { state in
            let own = state.idle.lastIndex { $0.speaker == speaker }
            let index = own ?? state.idle.indices.last
            let lane = index.map { state.idle.remove(at: $0).lane } ?? PocketSphinxLane(model: model)
            state.speakers[ObjectIdentifier(lane)] = speaker
            return lane
        }
    }

    /// Takes a lane back, and drops those that were not needed for long.
    func giveBack(_ lane: PocketSphinxLane, at now: ContinuousClock.Instant = .now) {
        // Released after the lock: a decoder takes a moment to go.
        let dropped = state.withLock { state in
            let speaker = state.speakers.removeValue(forKey: ObjectIdentifier(lane))
            state.idle.append(Idle(lane: lane, speaker: speaker, since: now))
            let surplus = max(0, state.idle.count - maximumIdle)
            let count = state.idle.prefix(surplus).prefix { now - $0.since > Self.patience }.count
            defer { state.idle.removeFirst(count) }
            return Array(state.idle.prefix(count))
        }
        _ = consume dropped
    }
}
