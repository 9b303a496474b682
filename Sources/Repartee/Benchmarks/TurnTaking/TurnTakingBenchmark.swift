internal import ArgumentParser
internal import Conversation
internal import Foundation
internal import Simulation
internal import VoiceCore

/// Turn taking of many sessions at a time, on machines that are simulated.
struct TurnTakingBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turn-taking",
        abstract: "Many sessions on one simulated machine: voice to voice, and where it breaks.",
        discussion: """
            Whole sessions, with the real turn machine, reply loop, playout and scheduler, in simulated time; people, engines and \
            devices are simulated by what their steps cost. Nothing is measured. Devices: rtx-5090, dgx-spark, h200, h100 and cpu. \
            On the first two the policy reference is the other stack with its own published costs, elsewhere its policy with our \
            engines. The same options give the same figures.
            """
    )

    @Flag(help: "Simulate, which is all that this benchmark can do; real engines are measured by bench v2v.")
    var simulate = false

    @Option(help: "Devices, with commas between.", transform: DeviceModel.list)
    var device = DeviceModel.known

    @Option(help: "Policies, with commas between: reference, interleaved, speculative.", transform: Self.policies)
    var policy = ReplyPolicy.allCases

    @Option(help: "Numbers of people who talk at the same time, with commas between.", transform: Self.numbers)
    var sessions = [1, 2, 4, 8, 16, 32]

    @Option(help: "How long they talk, in minutes.")
    var minutes = 10

    @Option(help: "Seed of everything that is random.")
    var seed: UInt64 = 1

    @Option(
        help: "Chats or voices that share a step of the device at most; our engines share as many as come together."
    )
    var batch = 1

    @Option(help: "An SVG file for a plot.")
    var svg: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard simulate else {
            throw ValidationError("bench turn-taking only simulates: say --simulate. bench v2v measures real engines.")
        }
        guard (1...600).contains(minutes) else { throw ValidationError("--minutes is from 1 to 600.") }
        guard (1...64).contains(batch) else { throw ValidationError("--batch is from 1 to 64.") }
    }

    func run() async throws {
        let rows = try await rows()
        if let svg {
            do {
                try TurnTakingPlot(rows: rows).text.write(toFile: svg, atomically: true, encoding: .utf8)
            } catch {
                throw VoiceError(.missingInput, "The plot cannot be written to '\(svg)'.", cause: error)
            }
        }
        if json {
            let options = TurnTakingRow.Options(minutes: minutes, seed: seed)
            try StandardOutput.write(json: BenchmarkReport(name: "turn-taking", settings: options, results: rows))
        } else {
            StandardOutput.write(TurnTakingRow.heading + "\n")
            for row in rows { StandardOutput.write(row.columns + "\n") }
        }
    }

    private func rows() async throws -> [TurnTakingRow] {
        var simulations: [Simulation] = []
        for device in device {
            for policy in policy {
                for sessions in sessions {
                    let duration = Duration.seconds(60 * minutes)
                    simulations.append(
                        Simulation(
                            device: device,
                            policy: policy,
                            sessions: sessions,
                            duration: duration,
                            seed: seed,
                            batch: batch
                        )
                    )
                }
            }
        }
        return try await SimulationThreads.map(simulations) { simulation throws(VoiceError) in
            TurnTakingRow(simulation, try simulation.run())
        }
    }

    private static func policies(_ text: String) throws -> [ReplyPolicy] {
        try [String](listed: text).map { name in
            guard let policy = ReplyPolicy(rawValue: name) else {
                throw ValidationError("'\(name)' is not a policy: reference, interleaved or speculative.")
            }
            return policy
        }
    }

    private static func numbers(_ text: String) throws -> [Int] {
        try [String](listed: text).map { number in
            guard let number = Int(number), (1...1024).contains(number) else {
                throw ValidationError("'\(number)' is not a number of sessions from 1 to 1024.")
            }
            return number
        }
    }

}
