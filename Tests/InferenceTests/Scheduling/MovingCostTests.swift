internal import Inference
internal import Testing
internal import VoiceCore

struct MovingCostTests {
    private let prefill = QuantumKind(engine: "llm", step: "prefill")

    @Test func `a new kind costs what was guessed, until it was measured`() throws {
        var scheduler = tenMillisecondScheduler()
        #expect(scheduler.expectedCost(of: prefill, units: 64) == .milliseconds(10))
        try scheduler.measure(prefill, units: 64, cost: .milliseconds(80))
        #expect(scheduler.expectedCost(of: prefill, units: 64) == .milliseconds(80))
        #expect(scheduler.expectedCost(of: .step, units: 64) == .milliseconds(10))
    }

    @Test func `where all were of one size the cost is proportional`() throws {
        var scheduler = tenMillisecondScheduler()
        for _ in 0..<5 { try scheduler.measure(prefill, units: 64, cost: .milliseconds(80)) }
        #expect(abs(scheduler.expectedCost(of: prefill, units: 16).milliseconds - 20) < 0.01)
    }

    @Test func `fixed part and slope are learned from noisy costs`() throws {
        var scheduler = tenMillisecondScheduler()
        var random = SplitMix64(seed: 1)
        for _ in 0..<200 {
            let units = Int.random(in: 1...64, using: &random)
            let noise = Double.random(in: 0.95...1.05, using: &random)
            try scheduler.measure(prefill, units: units, cost: .microseconds((4000 + 500 * Double(units)) * noise))
        }
        for units in [8, 32, 64] {
            let expected = scheduler.expectedCost(of: prefill, units: units).milliseconds
            #expect(abs(expected / (4 + 0.5 * Double(units)) - 1) < 0.12, "\(units): \(expected)")
        }
    }

    @Test func `a cost that changes is followed`() throws {
        var scheduler = tenMillisecondScheduler()
        for _ in 0..<50 { try scheduler.measure(.step, cost: .milliseconds(5)) }
        for _ in 0..<20 { try scheduler.measure(.step, cost: .milliseconds(15)) }
        #expect(abs(scheduler.expectedCost(of: .step, units: 1).milliseconds - 15) < 1)
    }

    @Test func `more units never cost less`() throws {
        var scheduler = tenMillisecondScheduler()
        for (units, cost) in [(1, 40), (64, 10), (2, 38), (60, 11)] {
            try scheduler.measure(prefill, units: units, cost: .milliseconds(cost))
        }
        #expect(scheduler.expectedCost(of: prefill, units: 1) <= scheduler.expectedCost(of: prefill, units: 64))
        #expect(scheduler.expectedCost(of: prefill, units: 0) >= .zero)
    }
}
