internal import Testing
internal import VoiceCore

@testable internal import Repartee

@Suite struct SoakRowTests {
    private static let before = ProcessUsage(processor: .zero, megabytes: 50, threads: 5, descriptors: 20)

    /// A record of half an hour with a look a minute.
    private func record(
        memory: (Double) -> Double = { _ in 80 },
        descriptorsAfter: Int = 20,
        lastThreads: Int = 5,
        lastAnswer: Double = 400
    ) -> SoakRecord {
        let samples = (1...30).map { minute in
            let isLast = minute > 25
            return SoakRecord.Sample(
                at: .seconds(60 * minute),
                usage: ProcessUsage(
                    processor: .seconds(minute),
                    megabytes: memory(Double(minute)),
                    threads: isLast ? lastThreads : 5,
                    descriptors: 36
                ),
                voiceToVoice: [Double](repeating: isLast ? lastAnswer : 400, count: 20)
            )
        }
        var after = Self.before
        (after.descriptors, after.processor) = (descriptorsAfter, .seconds(180))
        return SoakRecord(
            duration: .seconds(1800),
            before: Self.before,
            after: after,
            samples: samples,
            notes: CallerNotes()
        )
    }

    @Test func `what stays as it is has no problems`() {
        let row = SoakRow(sessions: 16, record())
        #expect(row.problems.isEmpty)
        #expect(row.memory_slope == 0)
        #expect(row.v2v_first_ms.n == 100 && row.v2v_last_ms.n == 100)
        #expect(row.cpu == 0.1)
        #expect(row.lines.last == "all within bounds")
    }

    @Test func `memory that grows is told, however it grew in the first five minutes`() {
        #expect(SoakRow(sessions: 16, record { $0 > 5 ? 90 : 80 }).problems.isEmpty)
        let row = SoakRow(sessions: 16, record { 80 + 0.1 * $0 })
        #expect(row.problems == ["memory grows by more than 1.0 MB an hour"])
        #expect(abs((row.memory_slope ?? 0) - 6) < 1e-6)
    }

    @Test func `sockets that stay, threads that come and late answers are told`() {
        #expect(SoakRow(sessions: 16, record(descriptorsAfter: 23)).problems == ["3 files or sockets stayed open"])
        #expect(SoakRow(sessions: 16, record(lastThreads: 8)).problems == ["threads grew in number"])
        #expect(SoakRow(sessions: 16, record(lastAnswer: 601)).problems == ["answers came later at the end"])
        #expect(SoakRow(sessions: 16, record(lastAnswer: 600)).problems.isEmpty)
    }

    @Test func `conversations may leave two kilobytes each and no socket`() {
        var after = Self.before
        after.megabytes = 51.8
        func row(_ after: ProcessUsage) -> CyclesRow {
            CyclesRow(
                cycles: 1000,
                counted: 900,
                seconds: 60,
                before: Self.before,
                first: Self.before,
                after: after,
                notes: CallerNotes()
            )
        }
        #expect(row(after).problems.isEmpty)
        #expect(abs(row(after).kb_per_cycle - 2) < 1e-9)
        (after.megabytes, after.descriptors) = (52, 21)
        #expect(row(after).problems.count == 2)
    }
}
