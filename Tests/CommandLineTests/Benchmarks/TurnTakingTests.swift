internal import ArgumentParser
internal import Conversation
internal import Foundation
internal import Simulation
internal import Testing
internal import VoiceCore

@testable internal import Repartee

@Suite struct TurnTakingTests {
    private func row(_ policy: ReplyPolicy, sessions: Int) throws -> TurnTakingRow {
        let simulation = Simulation(device: .h200, policy: policy, sessions: sessions, duration: .seconds(60))
        return TurnTakingRow(simulation, try simulation.run())
    }

    @Test func `the plot has a curve for each policy and percentile, on a panel for each device`() throws {
        let rows = [
            try row(.interleaved, sessions: 1), try row(.interleaved, sessions: 3), try row(.speculative, sessions: 1),
        ]
        let drawing = TurnTakingPlot(rows: rows).text
        #expect(drawing.components(separatedBy: "<polyline").count - 1 == 6)
        #expect(drawing.components(separatedBy: ">H200<").count - 1 == 1)
        #expect(!drawing.contains("RTX 5090"))
        // Three medians have points.
        #expect(drawing.components(separatedBy: "<circle").count - 1 == 3)
        #expect(drawing.hasSuffix("</svg>\n"))
    }

    @Test func `columns stand under their headings`() throws {
        let columns = try row(.interleaved, sessions: 1).columns
        #expect(columns.count == TurnTakingRow.heading.count)
    }

    @Test func `it says that it only simulates, and knows its devices`() throws {
        #expect(throws: (any Error).self) { try TurnTakingBenchmark.parse([]) }
        #expect(throws: (any Error).self) { try TurnTakingBenchmark.parse(["--simulate", "--device", "abacus"]) }
        #expect(throws: (any Error).self) { try TurnTakingBenchmark.parse(["--simulate", "--sessions", "0"]) }
        let command = try TurnTakingBenchmark.parse(["--simulate", "--device", "h200,cpu", "--policy", "reference"])
        #expect(command.device.map(\.name) == ["h200", "cpu"])
        #expect(command.policy == [.reference])
    }
}
