/// How fast something grows: a line through measured values by least squares, with the interval in which its slope lies.
struct MemoryTrend: Sendable, Equatable {
    /// Change per hour.
    var slope: Double
    /// The bounds of the slope's 95 % confidence interval.
    var low: Double
    var high: Double

    /// Draws the line; nil through fewer than three different times.
    ///
    /// The interval takes values for independent: average those that are close in time before.
    /// - Parameter points: hours and values.
    init?(_ points: [(hours: Double, value: Double)]) {
        let count = Double(points.count)
        guard points.count > 2 else { return nil }
        let meanTime = points.reduce(0) { $0 + $1.hours } / count
        let meanValue = points.reduce(0) { $0 + $1.value } / count
        let spread = points.reduce(0) { $0 + ($1.hours - meanTime) * ($1.hours - meanTime) }
        guard spread > 0 else { return nil }
        let slope = points.reduce(0) { $0 + ($1.hours - meanTime) * ($1.value - meanValue) } / spread
        let residue = points.reduce(0) { sum, point in
            let error = point.value - meanValue - slope * (point.hours - meanTime)
            return sum + error * error
        }
        let error = (residue / (count - 2) / spread).squareRoot() * Self.quantile(freedom: count - 2)
        (self.slope, low, high) = (slope, slope - error, slope + error)
    }

    /// The 97.5 % quantile of Student's distribution: Abramowitz and Stegun 1964, 26.7.5, to the second term, for more than two degrees
    /// of freedom; the quantiles of one and two are 12.706 and 4.303.
    static func quantile(freedom: Double) -> Double {
        if freedom < 1.5 { return 12.706 }
        if freedom < 2.5 { return 4.303 }
        return 1.960 + 2.372 / freedom + 2.823 / (freedom * freedom)
    }
}
