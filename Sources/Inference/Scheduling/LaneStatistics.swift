/// What became of the quanta of a lane, for metrics and for admission.
package struct LaneStatistics: Sendable {
    /// The quanta of one class since the start.
    package struct Count: Sendable, Equatable {
        /// Taken into the queue.
        package var submitted = 0
        /// Computed to their end.
        package var completed = 0
        /// Turned away because the queue was full, or pushed out of it by more pressing ones.
        package var refused = 0
        /// Cancelled before they were computed.
        package var cancelled = 0
        /// Done in a quantum of others.
        package var shared = 0
        /// Completed after their deadline.
        package var late = 0
        /// The time that the completed ones waited, together.
        package var waited: Duration = .zero
        /// The longest of these waits.
        package var longestWait: Duration = .zero
    }

    private var counts = Array(repeating: Count(), count: QuantumClass.allCases.count)
    private var busy: BusyWindow

    init(window: Duration) { busy = BusyWindow(length: window) }

    /// The quanta of a class.
    package internal(set) subscript(quantumClass: QuantumClass) -> Count {
        get { counts[quantumClass.rawValue] }
        set { counts[quantumClass.rawValue] = newValue }
    }

    /// The share of the recent time that the lane was taken by quanta of a class, or of any; 0...1. A quantum under way
    /// does not count yet.
    package func utilisation(of quantumClass: QuantumClass? = nil, at now: Duration) -> Double {
        busy.share(of: quantumClass, at: now)
    }

    mutating func note(_ quantum: Quantum) {
        let quantumClass = quantum.request.quantumClass
        self[quantumClass].completed += 1
        if quantum.isLate { self[quantumClass].late += 1 }
        self[quantumClass].waited += quantum.wait
        self[quantumClass].longestWait = max(self[quantumClass].longestWait, quantum.wait)
        busy.add(quantumClass, from: quantum.started, to: quantum.ended)
    }
}

/// How long each class kept a lane busy, in slices of time of which the newest are kept.
private struct BusyWindow: Sendable {
    private static let slices = 10
    private static let classes = QuantumClass.allCases.count

    private let slice: Duration
    /// Of slice number n at `(n mod slices) · classes`.
    private var busy = Array(repeating: Duration.zero, count: slices * classes)
    private var newest = 0
    private var began: Duration?

    init(length: Duration) { slice = max(.microseconds(1), length / Self.slices) }

    mutating func add(_ quantumClass: QuantumClass, from start: Duration, to end: Duration) {
        if began == nil {
            began = start
            newest = number(of: start)
        }
        advance(to: number(of: end))
        for index in max(number(of: start), oldest)...max(number(of: end), oldest) {
            let overlap = min(end, slice * (index + 1)) - max(start, slice * index)
            busy[place(index) + quantumClass.rawValue] += max(.zero, overlap)
        }
    }

    func share(of quantumClass: QuantumClass?, at now: Duration) -> Double {
        guard let began else { return 0 }
        let first = max(0, number(of: now) - Self.slices + 1)
        let length = now - max(began, slice * first)
        guard first <= newest, length > .zero else { return 0 }
        var sum = Duration.zero
        for index in max(first, oldest)...newest {
            let place = place(index)
            if let quantumClass {
                sum += busy[place + quantumClass.rawValue]
            } else {
                for offset in 0..<Self.classes { sum += busy[place + offset] }
            }
        }
        return min(1, sum / length)
    }

    private var oldest: Int { max(0, newest - Self.slices + 1) }

    private mutating func advance(to number: Int) {
        guard number > newest else { return }
        for index in max(newest + 1, number - Self.slices + 1)...number {
            for offset in 0..<Self.classes { busy[place(index) + offset] = .zero }
        }
        newest = number
    }

    private func place(_ number: Int) -> Int { number % Self.slices * Self.classes }

    private func number(of time: Duration) -> Int { max(0, Int(time / slice)) }
}
