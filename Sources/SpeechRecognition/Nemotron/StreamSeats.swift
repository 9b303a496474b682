internal import Synchronization

/// Slots of an arena: which are free. Streams take one when they are opened or forked and give it back when their last
/// reference goes, from whichever thread that is. The one given back last is taken first, so that memory that was never
/// needed stays untouched.
final class StreamSeats: Sendable {
    private let free: Mutex<[Int]>

    /// - Parameter slots: the slots.
    init(_ slots: Range<Int>) { free = Mutex(slots.reversed()) }

    /// Takes a slot; nil when all are taken. What it holds is that of an earlier stream.
    func take() -> Int? { free.withLock { $0.popLast() } }

    /// Gives a slot back.
    func giveBack(_ slot: Int) { free.withLock { $0.append(slot) } }
}
