internal import ArgumentParser
internal import Foundation
internal import Simulation
internal import VoiceCore

/// Many people at a time over real WebSockets against the real server.
struct SessionsBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract:
            "Many conversations at a time: voice to voice, even sound, processor and memory, and where it breaks.",
        discussion: """
            The server is 'repartee serve' in a process of its own, afresh for each number of sessions. Callers are connections of the \
            browser's protocol in this process: each sends its microphone every 20 ms, asks the recorded questions of bench v2v in \
            real time, listens to the answer, thinks for a second, and asks the next one. With --engines scripted the server has \
            engines that compute nothing and take their time all the same, so that everything else is measured; hundreds of \
            sessions are possible then. --soak and --cycles watch whether a server stays as it is; --simulated finds how many \
            sessions a machine carries that is simulated.
            """
    )

    private struct Options: Encodable {
        var engines: EngineChoice.RawValue
        var seconds: Int
        var rate: Int
        var client_threads: Int
        /// The largest number of sessions that holds; null where not even the smallest does.
        var knee: Int?
    }

    private struct SimulationOptions: Encodable {
        var minutes: Int
        var seed: UInt64
        /// The largest number of sessions that holds, by device.
        var knees: [String: Int]
    }

    @OptionGroup var global: GlobalOptions

    @Option(help: "Sessions at a time, with commas between (1,2,4,8; one number, 16, with --soak).")
    var sessions: String?

    @Option(help: "models: those that an agent would have; scripted: engines that compute nothing.")
    var engines = EngineChoice.models

    @Option(name: .customLong("config"), help: "A YAML file with settings for the server.")
    var settingsFile: String?

    @Option(help: "How long each number of sessions is measured, in seconds.")
    var duration = 60

    @Option(
        help: "Conversations that the server takes; one more is refused. As many as there are callers unless given."
    )
    var capacity: Int?

    @Option(help: "The rate of the callers' microphones and loudspeakers, in hertz; a page in a browser has 48000.")
    var rate = 48_000

    @Option(help: "Event loops of the callers.")
    var clientThreads = 1

    @Option(help: "The voice that asks.")
    var voice = "rms"

    @Option(help: "Watch the server for so many minutes instead, and fail if it does not stay as it is.")
    var soak: Int?

    @Option(help: "Begin and end so many conversations instead, and fail if they leave something behind.")
    var cycles: Int?

    @Flag(help: "Simulate machines instead, in virtual time.")
    var simulated = false

    @Option(help: "Devices to simulate, with commas between.", transform: DeviceModel.list)
    var device: [DeviceModel] = []

    @Option(help: "How long simulated people talk, in minutes.")
    var minutes = 10

    @Option(help: "Seed of everything that is random in a simulation.")
    var seed: UInt64 = 1

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
            guard let value, !range.contains(value) else { return }
            throw ValidationError("--\(name) is from \(range.lowerBound) to \(range.upperBound), not \(value).")
        }
        try check("duration", duration, 2...3600)
        try check("capacity", capacity, 1...10_000)
        try check("rate", rate, 8_000...96_000)
        try check("client-threads", clientThreads, 1...64)
        try check("soak", soak, 1...10_000)
        try check("cycles", cycles, 10...1_000_000)
        try check("minutes", minutes, 1...600)
        guard [soak != nil, cycles != nil, simulated].count(where: { $0 }) < 2 else {
            throw ValidationError("--soak, --cycles and --simulated exclude each other.")
        }
        guard simulated || device.isEmpty else { throw ValidationError("--device is for --simulated.") }
        if simulated, device.isEmpty { device = DeviceModel.known }
        let numbers = try counts()
        guard soak == nil || numbers.count == 1 else {
            throw ValidationError("--soak takes one number of sessions.")
        }
    }

    private func counts() throws -> [Int] {
        let text = sessions ?? (soak == nil ? "1,2,4,8" : "16")
        let counts = text.split(separator: ",", omittingEmptySubsequences: false)
            .map { Int($0.trimmingCharacters(in: .whitespaces)) ?? 0 }
        guard counts.allSatisfy((1...10_000).contains) else {
            throw ValidationError("--sessions is numbers from 1 to 10000 with commas between, not '\(text)'.")
        }
        return counts
    }

    func run() async throws {
        if simulated { return try await simulate() }
        DescriptorLimit.raise()
        try await Interruptible.run {
            let sweep = try await sweep()
            if let soak {
                let run = SoakRun(sweep: sweep, sessions: try counts()[0], duration: .seconds(60 * soak))
                let row = try await run.row()
                try tell([row], lines: row.lines, problems: row.problems)
            } else if let cycles {
                let row = try await CycleRun(sweep: sweep, cycles: cycles).row()
                try tell([row], lines: row.lines, problems: row.problems)
            } else {
                try await measure(sweep)
            }
        }
    }

    // MARK: - with a server

    private func sweep() async throws -> SessionSweep {
        let questions = try await SpokenQuestions.all(voice: voice, store: global.store)
        var arguments = ["--engines", engines.rawValue]
        if let settingsFile { arguments += ["--config", settingsFile] }
        if let models = global.modelsDirectory { arguments += ["--models", models] }
        return SessionSweep(
            arguments: arguments,
            capacity: capacity,
            duration: .seconds(duration),
            sound: CallerSound(questions, rate: SampleRate(rate)),
            playout: SampleRate(rate),
            threads: clientThreads,
            clock: SystemClock()
        )
    }

    private func measure(_ sweep: SessionSweep) async throws {
        var rows: [SessionsRow] = []
        if !json { StandardOutput.write(SessionsRow.heading + "\n") }
        // So many that the server does not even take them: what was measured before is told all the same.
        var failure: (any Error)?
        for count in try counts() {
            var row: SessionsRow
            do { row = try await sweep.row(sessions: count) } catch {
                guard !rows.isEmpty, !Task.isCancelled else { throw error }
                failure = error
                break
            }
            row.within_knee = Knee.sessions(rows.map(\.point) + [row.point]) ?? 0 >= count
            rows.append(row)
            if !json { StandardOutput.write(row.columns + "\n") }
        }
        let knee = Knee.sessions(rows.map(\.point))
        let words = knee.map { "knee: \($0) sessions" } ?? "not even the fewest sessions hold"
        try tell(rows, knee: knee, lines: [words])
        if let failure { throw failure }
    }

    private func tell(_ rows: [some Encodable], knee: Int? = nil, lines: [String], problems: [String] = []) throws {
        if json {
            let options = Options(
                engines: engines.rawValue,
                seconds: soak.map { 60 * $0 } ?? duration,
                rate: rate,
                client_threads: clientThreads,
                knee: knee
            )
            try StandardOutput.write(json: BenchmarkReport(name: "sessions", settings: options, results: rows))
        } else {
            StandardOutput.write(lines.map { $0 + "\n" }.joined())
        }
        if !problems.isEmpty { throw ExitCode.failure }
    }

    // MARK: - simulated

    private func simulate() async throws {
        let capacities = device.map { SimulatedCapacity(device: $0, duration: .seconds(60 * minutes), seed: seed) }
        let rows = try await SimulationThreads.map(capacities) { capacity throws(VoiceError) in try capacity.rows() }
        let knees = Dictionary(
            uniqueKeysWithValues: zip(
                device.map(\.name),
                rows.map { rows in
                    rows.last { $0.within_knee }?.sessions ?? 0
                }
            )
        )
        if json {
            let options = SimulationOptions(minutes: minutes, seed: seed, knees: knees)
            try StandardOutput.write(
                json: BenchmarkReport(name: "sessions", settings: options, results: rows.flatMap { $0 })
            )
        } else {
            StandardOutput.write(CapacityRow.heading + "\n")
            for row in rows.joined() { StandardOutput.write(row.columns + "\n") }
        }
    }
}
