package import VoiceCore

/// Streams whose requests an engine computes together, so that the weights are read once for all of them.
///
/// Of those that wait one leads: its call waits for the device and runs the step, for itself and for others; they get their results, or
/// the lead of the next step. A part of the actor that owns the model, which calls all of this on its own thread. Before it asks for the
/// device, a call that leads may let others come with ``waitForOthers(atMost:while:)``.
package struct StepGathering<Request: Sendable, Response: Sendable> {
    /// What a stream that waits is told.
    package enum Turn: Sendable {
        case done(Result<Response, VoiceError>)
        /// To run the next step, which its request is part of.
        case lead
    }

    fileprivate struct Waiting {
        var slot: Int
        var request: Request
        /// Nil for the stream whose call runs the next step.
        var continuation: CheckedContinuation<Turn, Never>?
    }

    /// The requests of one step, the leader's first.
    package struct Batch {
        private let items: [Waiting]

        fileprivate init(_ items: [Waiting]) { self.items = items }

        /// What to compute.
        package var requests: [Request] { items.map(\.request) }

        /// Tells all but the leader what came of theirs.
        /// - Parameter results: one for each request.
        /// - Returns: the leader's.
        package func finish(_ results: [Result<Response, VoiceError>]) -> Result<Response, VoiceError> {
            for (item, result) in zip(items, results) { item.continuation?.resume(returning: .done(result)) }
            return results[0]
        }
    }

    private let activityWindow: Duration
    private let clock = ContinuousClock()
    private var waiting: [Waiting] = []
    private var lastStep: [Int: ContinuousClock.Instant] = [:]

    /// True while one of those that wait is going to run the next step.
    package private(set) var isLed = false

    /// - Parameter activityWindow: streams that stepped longer ago than this are not waited for.
    package init(activityWindow: Duration) { self.activityWindow = activityWindow }

    /// The request of the stream that leads; nil while nobody does.
    package var leader: Request? { waiting.first { $0.continuation == nil }?.request }

    /// Requests that wait.
    package var count: Int { waiting.count }

    /// Takes the request of a stream that leads; for when nobody does.
    package mutating func lead(_ request: Request, of slot: Int) {
        isLed = true
        waiting.append(Waiting(slot: slot, request: request, continuation: nil))
    }

    /// Takes the request of a stream that waits for its turn; for when somebody leads.
    package mutating func wait(_ request: Request, of slot: Int, _ continuation: CheckedContinuation<Turn, Never>) {
        waiting.append(Waiting(slot: slot, request: request, continuation: continuation))
    }

    /// Whether streams that stepped a moment ago have not asked again yet.
    package func lacksOthers(than slot: Int) -> Bool {
        let limit = clock.now - activityWindow
        return waiting.count < lastStep.count { $0.key != slot && $0.value > limit } + 1
    }

    /// Takes the leader's request and those that fit it, and gives the lead to the stream that then waits longest.
    /// - Parameters:
    ///   - sizes: how many requests a step may have.
    ///   - fits: whether another's request can be computed with the leader's.
    /// - Returns: nil when nobody leads.
    package mutating func take(
        _ sizes: StepSizes,
        where fits: (_ own: Request, _ other: Request) -> Bool = { _, _ in true }
    ) -> Batch? {
        guard let own = waiting.first(where: { $0.continuation == nil }) else { return nil }
        let others = waiting.filter { $0.continuation != nil && fits(own.request, $0.request) }
        let batch = [own] + others.prefix(sizes.size(for: 1 + others.count) - 1)
        let slots = Set(batch.map(\.slot))
        waiting.removeAll { slots.contains($0.slot) }
        passLead()
        for slot in slots { lastStep[slot] = clock.now }
        return Batch(batch)
    }

    /// Takes back the request of a leader that got no turn, if it is still there.
    package mutating func withdraw(_ slot: Int) {
        guard waiting.contains(where: { $0.slot == slot }) else { return }
        waiting.removeAll { $0.slot == slot }
        passLead()
    }

    /// Says that a stream will not step soon, so that nobody waits for it.
    package mutating func rest(_ slot: Int) { lastStep[slot] = nil }

    /// Makes the one that waits longest run the next step.
    private mutating func passLead() {
        guard let continuation = waiting.first?.continuation else {
            isLed = false
            return
        }
        waiting[0].continuation = nil
        continuation.resume(returning: .lead)
    }
}

/// Lets streams come that are about to ask: returns when none lacks, looking eight times, or when the window is over.
///
/// Cut short when the caller is cancelled; what it leads is then done all the same.
/// - Parameters:
///   - window: the longest wait.
///   - lacks: whether somebody is still to come.
nonisolated(nonsending) package func waitForOthers(atMost window: Duration, while lacks: () -> Bool) async {
    var looks = 8
    let pause = window / looks
    while looks > 0, lacks() {
        try? await Task.sleep(for: pause)
        looks -= 1
    }
}
