internal import ArgumentParser
internal import Simulation
internal import Testing
internal import VoiceCore

@testable internal import Repartee

@Suite struct SessionsBenchmarkTests {
    @Test(arguments: [
        ["--sessions", "0"], ["--sessions", "1,,2"], ["--sessions", "many"], ["--sessions", "10001"],
        ["--duration", "1"],
        ["--capacity", "0"], ["--rate", "4000"], ["--client-threads", "0"], ["--engines", "fast"], ["--soak", "0"],
        ["--cycles", "9"], ["--soak", "5", "--cycles", "100"], ["--simulated", "--device", "abacus"],
        ["--simulated", "--soak", "5"], ["--device", "cpu"],
    ])
    func `arguments that make no sense are refused`(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try SessionsBenchmark.parse(arguments) }
    }

    @Test func `arguments that do are taken`() throws {
        let command = try SessionsBenchmark.parse(["--sessions", "1, 8", "--engines", "scripted", "--duration", "5"])
        #expect(command.engines == .scripted)
        #expect(
            try SessionsBenchmark.parse(["--simulated", "--device", "cpu,h200"]).device.map(\.name) == ["cpu", "h200"]
        )
    }

    @Test func `columns stand under their headings`() throws {
        let capacity = SimulatedCapacity(device: .processor, duration: .seconds(60), seed: 1)
        let row = try capacity.row(sessions: 1)
        #expect(row.columns.dropLast(row.within_knee ? 0 : 3).count == CapacityRow.heading.count)
    }
}
