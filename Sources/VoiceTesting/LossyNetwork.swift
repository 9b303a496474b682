internal import VoiceCore

/// A network between two ends, in simulated time: it loses, delays, reorders and duplicates datagrams, the same on every run with
/// the same seed.
///
/// **Send into it, look at ``nextArrival``, and take what has arrived by then.** Time must not go backwards.
package struct LossyNetwork<Datagram: Sendable>: Sendable {
    /// What it does to a datagram; each choice is made for each datagram by itself.
    package struct Conditions: Sendable {
        /// The share that never arrives, 0 to 1.
        package var loss = 0.0
        /// What every datagram takes.
        package var delay = Duration.milliseconds(20)
        /// What it takes on top: uniform from nothing to this. Datagrams queue behind each other, so alone it changes no order.
        package var jitter = Duration.zero
        /// The share that is held back, so that later ones overtake it, 0 to 1.
        package var reordering = 0.0
        /// How long what is held back is: uniform from nothing to this.
        package var holding = Duration.milliseconds(50)
        /// The share that arrives twice, 0 to 1; each copy is delayed by itself.
        package var duplication = 0.0

        /// Makes the conditions of a perfect network.
        package init() {}
    }

    /// One of the two ends.
    package enum End: Sendable, Hashable {
        case left, right
        /// The end across.
        package var other: End { self == .left ? .right : .left }
    }

    /// What has arrived.
    package struct Arrival: Sendable {
        /// Where.
        package var end: End
        /// What.
        package var datagram: Datagram
    }

    /// What is done to datagrams that are sent from now on.
    package var conditions: Conditions
    /// Datagrams that were lost.
    package private(set) var lost = 0
    /// Datagrams that were sent.
    package private(set) var sent = 0

    private struct Flight: Sendable {
        var time: Duration
        var arrival: Arrival
    }

    /// The most datagrams on their way; more are lost, as in a router.
    private static var capacity: Int { 20_000 }

    private var random: SplitMix64
    private var flights: [Flight] = []
    private var lastArrival: [End: Duration] = [:]

    /// Makes a network.
    package init(_ conditions: Conditions, seed: UInt64) {
        self.conditions = conditions
        random = SplitMix64(seed: seed)
    }

    /// When the next datagram arrives; nil when none is on its way.
    package var nextArrival: Duration? { flights.first?.time }

    /// Sends a datagram.
    package mutating func send(_ datagram: Datagram, from end: End, at now: Duration) {
        sent += 1
        let copies = random.uniform() < conditions.duplication ? 2 : 1
        guard random.uniform() >= conditions.loss, flights.count < Self.capacity else {
            lost += 1
            return
        }
        for _ in 0..<copies { launch(Arrival(end: end.other, datagram: datagram), at: now) }
    }

    /// Takes what has arrived by `now`, in the order of arrival.
    package mutating func arrivals(at now: Duration) -> [Arrival] {
        let count = flights.firstIndex { $0.time > now } ?? flights.count
        let arrived = flights.prefix(count).map(\.arrival)
        flights.removeFirst(count)
        return arrived
    }

    private mutating func launch(_ arrival: Arrival, at now: Duration) {
        let straight = now + conditions.delay + conditions.jitter * random.uniform()
        let time: Duration
        if random.uniform() < conditions.reordering {
            time = straight + conditions.holding * random.uniform()
        } else {
            time = max(straight, lastArrival[arrival.end] ?? .zero)
            lastArrival[arrival.end] = time
        }
        let place = flights.lastIndex { $0.time <= time }.map { $0 + 1 } ?? 0
        flights.insert(Flight(time: time, arrival: arrival), at: place)
    }
}
