internal import Synchronization

/// The numbers of one metric with one set of labels. Anyone may change it at any time.
final class PrometheusSeries: Sendable {
    /// What is kept.
    enum Content: Sendable, Equatable {
        /// A sum that only grows, or a value of now.
        case value(Double)
        /// How many values were at most as large as each bound, all of them, and their sum.
        case histogram(counts: [UInt64], total: UInt64, sum: Double)
    }

    private let initial: Content
    private let bounds: [Double]
    private let content: Mutex<Content>

    /// Makes a value at zero.
    init() {
        bounds = []
        initial = .value(0)
        content = Mutex(initial)
    }

    /// Makes an empty histogram.
    init(bounds: [Double]) {
        self.bounds = bounds
        initial = .histogram(counts: [UInt64](repeating: 0, count: bounds.count), total: 0, sum: 0)
        content = Mutex(initial)
    }

    /// What has been noted so far.
    var snapshot: Content { content.withLock { $0 } }

    /// Adds to a value, or notes one more in a histogram. Numbers that are none are ignored.
    func add(_ number: Double) {
        guard number.isFinite else { return }
        content.withLock { content in
            switch content {
            case .value(let value): content = .value(value + number)
            case .histogram(var counts, let total, let sum):
                for index in bounds.indices where number <= bounds[index] { counts[index] += 1 }
                content = .histogram(counts: counts, total: total + 1, sum: sum + number)
            }
        }
    }

    /// Replaces a value.
    func set(_ number: Double) {
        guard number.isFinite else { return }
        content.withLock { if case .value = $0 { $0 = .value(number) } }
    }

    /// Begins again at zero.
    func reset() { content.withLock { $0 = initial } }
}
