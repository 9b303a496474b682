internal import VoiceCore

/// How much later than the fastest packets arrive, and so how long it makes sense to wait for one.
///
/// Each packet's delay is counted from the fastest of the last two seconds, so a sender whose clock drifts does no harm. A histogram
/// that forgets keeps the share of packets with each delay, and the target is what 95 % of them meet: the estimator of WebRTC's
/// NetEq (`modules/audio_coding/neteq`: `relative_arrival_delay_tracker`, `underrun_optimizer`, `histogram`, with a quantile of 0.95
/// and a forget factor of 0.983).
struct DelayEstimate: Sendable {
    private static let window = Duration.seconds(2)
    /// The most packets in the window: two seconds of 10 ms.
    private static let capacity = 200
    private static let bucket = Duration.milliseconds(5)
    private static let buckets = 60
    private static let quantile = 0.95
    private static let forgetting = 0.983

    /// The share of packets with each delay, ``bucket`` wide; all together 1.
    private var histogram: [Double]
    /// Arrival time less media time of the packets in the window; those that can become the fastest: increasing.
    private var fastest: [(arrival: Duration, transit: Duration)] = []
    /// Packets so far, up to where the factor of forgetting is reached.
    private var count = 0.0
    /// How late a packet is at most, but for one in twenty.
    private(set) var lateness = Duration.zero

    /// Knows nothing: all packets are as fast as the first.
    init() {
        histogram = [Double](repeating: 0, count: Self.buckets)
    }

    /// Arrival time less media time of the fastest packet in the window; nil before the first.
    var fastestTransit: Duration? { fastest.first?.transit }

    /// Takes a packet whose sound belongs at `media` on the sender's clock.
    mutating func observe(arrival: Duration, media: Duration) {
        let transit = arrival - media
        fastest.removeAll { arrival - $0.arrival > Self.window }
        while let last = fastest.last, last.transit >= transit { fastest.removeLast() }
        if fastest.count < Self.capacity { fastest.append((arrival, transit)) }
        guard let base = fastestTransit else { return }
        let late = Int((transit - base) / Self.bucket)
        // At first every packet counts as much as all before it.
        count += 1
        let kept = min(Self.forgetting, 1 - 1 / (count + 1))
        for index in histogram.indices { histogram[index] *= kept }
        histogram[min(max(late, 0), Self.buckets - 1)] += 1 - kept
        lateness = Self.bucket * bucketsToMeet
    }

    /// True once two seconds of packets have been seen.
    var isKnown: Bool { count >= 100 }

    /// How many buckets hold all packets but one in twenty.
    private var bucketsToMeet: Int {
        let total = histogram.reduce(0, +)
        var sum = 0.0
        for (index, share) in histogram.enumerated() {
            sum += share
            if sum >= Self.quantile * total { return index + 1 }
        }
        return 0
    }
}
