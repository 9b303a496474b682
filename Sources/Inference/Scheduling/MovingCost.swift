/// What quanta of one kind cost: `a + b · units`, fitted to the recent ones, and how far from it they are.
///
/// Moving averages of both, of the units' variance and of their covariance give the line. Where all quanta had the same
/// number of units nothing is known about its slope, and the cost is taken to be proportional.
struct MovingCost: Sendable {
    /// Weight of the newest quantum in the averages, and in the deviation: those of round-trip times in TCP (RFC 6298,
    /// section 2.3).
    private static let gain = 1.0 / 8
    private static let deviationGain = 1.0 / 4
    /// A variance of the units below this says little about the cost of one.
    private static let smallVariance = 0.05

    /// Taken from the configuration until the first quantum.
    private let guess: Duration
    private var count = 0
    private var units = 0.0
    /// Costs are in nanoseconds.
    private var cost = 0.0
    private var variance = 0.0
    private var covariance = 0.0
    private var deviation = 0.0

    init(guess: Duration) { self.guess = guess }

    /// What a quantum will cost on average.
    func expected(units wanted: Int) -> Duration {
        guard count > 0 else { return guess }
        return .nanoseconds(Int64(mean(units: Double(wanted))))
    }

    /// The mean distance of costs from what was expected.
    var spread: Duration { count > 0 ? .nanoseconds(Int64(deviation)) : guess / 2 }

    /// Takes a quantum into account.
    mutating func learn(_ measured: Duration, units measuredUnits: Int) {
        let (x, y) = (Double(max(0, measuredUnits)), measured / .nanoseconds(1))
        defer { count += 1 }
        guard count > 0 else {
            (units, cost, deviation) = (x, y, y / 2)
            return
        }
        deviation += (abs(y - mean(units: x)) - deviation) * Self.deviationGain
        let weight = max(Self.gain, 1 / Double(count + 1))
        let (dx, dy) = (x - units, y - cost)
        units += weight * dx
        cost += weight * dy
        variance = (1 - weight) * (variance + weight * dx * dx)
        covariance = (1 - weight) * (covariance + weight * dx * dy)
    }

    private func mean(units wanted: Double) -> Double {
        // More units never cost less, and none cost no less than nothing.
        let steepest = units > 0 ? cost / units : 0
        let slope = (covariance + Self.smallVariance * steepest) / (variance + Self.smallVariance)
        return cost + min(max(0, slope), steepest) * (max(0, wanted) - units)
    }
}
