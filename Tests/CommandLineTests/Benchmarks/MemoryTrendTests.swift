internal import Testing

@testable internal import Repartee

@Suite struct MemoryTrendTests {
    @Test func `a line is found exactly`() throws {
        let points = (0..<10).map { index -> (hours: Double, value: Double) in
            let hours = Double(index) / 10
            return (hours, 100 + 3 * hours)
        }
        let trend = try #require(MemoryTrend(points))
        #expect(abs(trend.slope - 3) < 1e-9)
        #expect(abs(trend.high - trend.low) < 1e-6)
    }

    @Test func `what only fluctuates may be flat`() throws {
        let values = [100.0, 101, 99, 100.5, 99.5, 100.2, 99.8, 101, 99, 100]
        let points = values.enumerated().map { index, value -> (hours: Double, value: Double) in
            (Double(index) / 60, value)
        }
        let trend = try #require(MemoryTrend(points))
        #expect(trend.low < 0 && trend.high > 0)
    }

    @Test func `the interval is that of the textbook`() throws {
        // Five points, residues 0.2, -0.2, 0, -0.2, 0.2 around y = 2x: the sum of squares is 0.16, its share of three degrees of freedom
        // 0.0533, the spread of x 10, so that the standard error is 0.07303, times 3.182 (Student, 3 degrees, 97.5 %) is 0.2324.
        let values: [Double] = [0.2, 1.8, 4, 5.8, 8.2]
        let points = values.enumerated().map { index, value -> (hours: Double, value: Double) in
            (Double(index), value)
        }
        let trend = try #require(MemoryTrend(points))
        #expect(abs(trend.slope - 2) < 1e-9)
        #expect(abs((trend.high - trend.low) / 2 - 0.2324) < 0.05 * 0.2324)
    }

    @Test func `Student's quantiles are near the tables'`() {
        for (freedom, quantile) in [(1.0, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (23, 2.069), (1000, 1.962)] {
            #expect(abs(MemoryTrend.quantile(freedom: freedom) / quantile - 1) < 0.04, "\(freedom)")
        }
    }

    @Test func `two points have no trend`() {
        #expect(MemoryTrend([(hours: 0, value: 1), (hours: 1, value: 2)]) == nil)
        #expect(MemoryTrend([(hours: 1, value: 1), (hours: 1, value: 2), (hours: 1, value: 3)]) == nil)
    }
}
