internal import Synchronization

/// Which of the engine's chats are taken. A chat is given back when its last reference goes, on whichever thread that
/// is; the engine drops its memory at its next opportunity.
final class Seating: Sendable {
    private enum Seat { case free, taken, left }
    private let seats: Mutex<[Seat]>

    init(count: Int) {
        seats = Mutex(Array(repeating: .free, count: count))
    }

    /// Takes a chat; nil when all are taken.
    func take() -> Int? {
        seats.withLock { seats in
            guard let index = seats.firstIndex(of: .free) else { return nil }
            seats[index] = .taken
            return index
        }
    }

    /// Gives a chat back.
    func leave(_ index: Int) {
        seats.withLock { $0[index] = .left }
    }

    /// The chats that were given back since the last call; from now on they can be taken.
    func takeLeft() -> [Int] {
        seats.withLock { seats in
            let left = seats.indices.filter { seats[$0] == .left }
            for index in left { seats[index] = .free }
            return left
        }
    }
}
