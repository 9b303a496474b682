internal import ArgumentParser
internal import Foundation
internal import VoiceCore

/// What a person waits when the server of an engine fails and another one goes on.
struct FailoverBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract:
            "Two servers of each engine, of which one is killed or stopped: how long until the other one goes on.",
        discussion: """
            Starts serve-asr (PocketSphinx), serve-tts (slt) and serve-llm (the default model), two of each, as processes of their own, \
            and ends one in every round: before anything is asked of it, or in the middle of an utterance, a clause, a reply.
            """
    )

    private struct Options: Encodable {
        var rounds: Int
    }

    private struct Row: Encodable {
        var engine: String
        var fault: String
        var moment: String
        /// To the final transcript (asr), the first sound (tts), the first word (llm); in the middle of the latter two, the longest time
        /// without more of it.
        var wait_ms: LatencyFigures
        /// Rounds in which something was missing, or everything failed.
        var lost: Int
    }

    @OptionGroup var global: GlobalOptions

    @Option(help: "Rounds of each row.")
    var rounds = 20

    @Option(help: "asr, tts, llm, with commas between.")
    var engines = "asr,tts,llm"

    @Option(help: "kill, stop, with commas between.")
    var faults = "kill,stop"

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds is from 1 to 1000, not \(rounds).") }
        _ = try Self.list(engines, "engines") as [FailoverTrial.Engine]
        _ = try Self.list(faults, "faults") as [FailoverTrial.Fault]
    }

    private static func list<Choice: RawRepresentable<String> & CaseIterable>(
        _ text: String,
        _ option: String
    ) throws -> [Choice] {
        try text.split(separator: ",").map { word in
            guard let choice = Choice(rawValue: String(word)) else {
                let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--\(option) has '\(word)': choose among \(all).")
            }
            return choice
        }
    }

    func run() async throws {
        let bench = self
        try await Interruptible.run { try await bench.measure() }
    }

    private func measure() async throws {
        let speech = Array(
            try await BenchmarkSpeech.samples(of: nil).prefix(SampleRate.speech.samples(in: .seconds(3)))
        )
        var rows: [Row] = []
        if !json { StandardOutput.write("engine  fault  moment  lost" + LatencyFigures.heading + "  ms\n") }
        for engine in try Self.list(engines, "engines") as [FailoverTrial.Engine] {
            let arguments = FailoverTrial.arguments(engine)
            let servers = [try await EngineServer.start(arguments), try await EngineServer.start(arguments)]
            defer { servers.forEach { $0.end() } }
            let trial = FailoverTrial(engine: engine, servers: servers, speech: speech)
            for fault in try Self.list(faults, "faults") as [FailoverTrial.Fault] {
                for moment in FailoverTrial.Moment.allCases where moment != .never || fault == .kill {
                    let row = try await measure(trial, moment, fault)
                    rows.append(row)
                    if !json { StandardOutput.write(Self.line(row)) }
                }
            }
        }
        guard json else { return }
        try StandardOutput.write(
            json: BenchmarkReport(name: "failover", settings: Options(rounds: rounds), results: rows)
        )
    }

    private func measure(
        _ trial: FailoverTrial,
        _ moment: FailoverTrial.Moment,
        _ fault: FailoverTrial.Fault
    ) async throws -> Row {
        var waits: [Double] = []
        var lost = 0
        for _ in 0..<rounds {
            do {
                let outcome = try await trial.round(moment, fault)
                waits.append(outcome.wait.milliseconds)
                if !outcome.isWhole { lost += 1 }
            } catch {
                StandardError.print("\(trial.engine.rawValue), \(fault.rawValue), \(moment.rawValue): \(error)")
                lost += 1
            }
            guard moment != .never else { continue }
            // One that was stopped goes on with what it had: it is ended, too.
            try await trial.servers[0].restart()
        }
        return Row(
            engine: trial.engine.rawValue,
            fault: moment == .never ? "none" : fault.rawValue,
            moment: moment.rawValue,
            wait_ms: LatencyFigures(waits),
            lost: lost
        )
    }

    private static func line(_ row: Row) -> String {
        func pad(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        return pad(row.engine, 8) + pad(row.fault, 7) + pad(row.moment, 8) + pad("\(row.lost)", 4) + row.wait_ms.columns
            + "\n"
    }
}
