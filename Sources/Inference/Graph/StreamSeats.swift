internal import Synchronization
package import VoiceCore

/// Slots of an arena: which are free. Streams take one when they are opened or forked and give it back when their last
/// reference goes, from whichever thread that is. The one given back last is taken first, so that memory that was never
/// needed stays untouched.
package final class StreamSeats: Sendable {
    private let free: Mutex<[Int]>

    /// - Parameter slots: the slots.
    package init(_ slots: Range<Int>) { free = Mutex(slots.reversed()) }

    /// Takes a slot; nil when all are taken. What it holds is that of an earlier stream.
    package func take() -> Int? { free.withLock { $0.popLast() } }

    /// Gives a slot back.
    package func giveBack(_ slot: Int) { free.withLock { $0.append(slot) } }
}

/// A slot, from when it is taken until its last reference goes.
package final class StreamSeat: Sendable {
    /// The slot.
    package let slot: Int
    private let seats: StreamSeats

    /// Takes a slot.
    /// - Parameters:
    ///   - seats: where from.
    ///   - kind: what takes it, for the message, such as "streams of the recogniser".
    /// - Throws: ``VoiceError/Code/exhausted`` when all are taken.
    package init(_ seats: StreamSeats, of kind: String) throws(VoiceError) {
        guard let slot = seats.take() else {
            throw VoiceError(.exhausted, "All \(kind) are in use. Close one, or allow more.")
        }
        self.slot = slot
        self.seats = seats
    }

    deinit { seats.giveBack(slot) }
}
