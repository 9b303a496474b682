/// What the owner of connections tells each of them, as an inbound user event of its pipeline.
package enum ConnectionSignal: Sendable {
    /// The time, a few times a second.
    case tick(Duration)
    /// Close in an orderly way, now.
    case stop
}
