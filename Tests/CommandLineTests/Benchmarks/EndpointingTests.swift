internal import Conversation
internal import Foundation
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Repartee

/// The endpointing benchmark on sounds whose borders are known, with an amplitude for voice activity.
@Suite struct EndpointingTests {
    /// A turn of one second, a pause of 600 ms, another second, and silence.
    private static let samples = sound([(true, 1), (false, 0.6), (true, 1), (false, 4)])
    private static let recording = PausedRecording(
        file: "",
        voice: "tone",
        part: "test",
        end: 2.6,
        pauses: [PausedRecording.Pause(start: 1, end: 1.6, word: 3)],
        text: "set a timer for ten"
    )

    private static func sound(_ parts: [(isLoud: Bool, seconds: Double)]) -> [Float] {
        parts.flatMap { part in [Float](repeating: part.isLoud ? 0.5 : 0, count: Int(part.seconds * 16_000)) }
    }

    private func heard() async throws -> HeardRecording {
        try await HeardRecording(
            Self.samples,
            activity: AmplitudeDetector(),
            configuration: ConversationConfiguration()
        )
    }

    private func score(
        _ policy: EndpointPolicy,
        reply: Duration = .milliseconds(250),
        verdict: @escaping (Int) -> Float = { _ in 0 }
    ) async throws -> EndpointScore {
        let trial = try await EndpointTrial(policy, on: heard(), latency: .milliseconds(100)) { position in
            verdict(position)
        }
        var score = EndpointScore(rule: "", parameter: "", value: 0)
        score.add(trial.commits, to: Self.recording, reply: reply)
        score.finish()
        return score
    }

    @Test func `a recording is heard as a session would hear it`() async throws {
        let heard = try await heard()
        let kinds = heard.events.map { event in
            switch event.event {
            case .onset: "onset"
            case .speechStarted: "started"
            case .hush: "hush"
            case .speechStopped: "stopped"
            default: "other"
            }
        }
        #expect(kinds == ["onset", "started", "hush", "stopped", "onset", "started", "hush", "stopped"])
        guard case .speechStopped(let last) = heard.events[7].event else { Issue.record("no end"); return }
        #expect(last == .milliseconds(2600))
        #expect(heard.turnStart == 0)
    }

    @Test func `a silence shorter than the pause cuts it, a longer one does not`() async throws {
        let short = try await score(.silence(.milliseconds(400)))
        #expect(short.false_cuts == 1 && short.pauses == 1 && short.cuts_elsewhere == 0 && short.unheard == 0)
        #expect(abs(short.wait_mean_ms - 400) < 0.01)
        let long = try await score(.silence(.milliseconds(900)))
        #expect(long.false_cuts == 0)
        #expect(abs(long.wait_mean_ms - 900) < 0.01)
    }

    @Test func `a cut is heard when the reply comes before the speech that goes on`() async throws {
        // Over at 1400 ms; speech goes on at 1600 and is certain 96 ms later, up to a window and a frame.
        let early = try await score(.silence(.milliseconds(400)), reply: .milliseconds(290))
        #expect(early.false_cuts == 1 && early.audible_starts == 1 && early.audible_start_share == 1)
        let late = try await score(.silence(.milliseconds(400)), reply: .milliseconds(350))
        #expect(late.false_cuts == 1 && late.audible_starts == 0)
    }

    @Test func `words that are read can keep a turn open, or end it`() async throws {
        let recording = Self.recording
        func trial(_ completeness: @escaping (String) -> Float?) async throws -> EndpointTrial {
            let reading = EndpointTrial.Reading(latency: .milliseconds(70)) { position in
                recording.words(upTo: SampleRate.speech.duration(ofSamples: position))
            } completeness: { text in
                completeness(text)
            }
            return try await EndpointTrial(
                .adaptive(AdaptiveWait()),
                on: heard(),
                latency: .milliseconds(50),
                reading: reading
            ) { _ in 0.5 }
        }
        let read = try await trial { ["set a timer": 0.001, "set a timer for ten": 0.9][$0] }
        #expect(read.commits.count == 1)
        let end = try #require(read.commits.last?.at)
        #expect(end > .milliseconds(2734) && end < .milliseconds(2790))
        // Where the words tell nothing the voice decides: after 300 ms without an answer, for 800 ms.
        let unread = try await trial { _ in nil }
        #expect(unread.commits.last?.at == .milliseconds(3400))
    }

    @Test func `what was said by a time is known in pauses and at the end`() {
        let words = [0.5, 0.8, 1.3, 1.8, 2, 2.4].map { Self.recording.words(upTo: .seconds($0)) }
        #expect(words == [nil, "set a timer", "set a timer", "set a timer", nil, "set a timer for ten"])
    }

    @Test func `verdicts come after their latency and are asked about what was heard by then`() async throws {
        let score = try await score(.adaptive(AdaptiveWait())) { position in
            #expect(position % HeardRecording.frame == 0)
            return position > 40_000 ? 1 : 0
        }
        #expect(score.false_cuts == 0)
        // 32 ms of silence, up to a window and a frame, 100 ms for the verdict; never less than the earliest end.
        #expect(score.wait_mean_ms > 159 && score.wait_mean_ms <= 132 + 52)
    }

    @Test func `a turn that ends before its end is not counted as ended`() {
        var score = EndpointScore(rule: "", parameter: "", value: 0)
        for times in [[1300], [500, 2900], []] {
            let commits = times.map { EndpointTrial.Commit(at: .milliseconds($0), resumed: .milliseconds(1700)) }
            score.add(commits, to: Self.recording, reply: .zero)
        }
        score.finish()
        #expect(score.unheard == 2 && score.false_cuts == 1 && score.cuts_elsewhere == 1 && score.recordings == 3)
        #expect(abs(score.wait_mean_ms - 300) < 0.01)
    }

    @Test func `a cut that is noticed late belongs to one pause only`() {
        var recording = Self.recording
        recording.pauses = [PausedRecording.Pause(start: 1, end: 1.4), PausedRecording.Pause(start: 1.5, end: 1.9)]
        var score = EndpointScore(rule: "", parameter: "", value: 0)
        let commits = [1550, 2900].map { EndpointTrial.Commit(at: .milliseconds($0), resumed: .milliseconds(1950)) }
        score.add(commits, to: recording, reply: .milliseconds(250))
        #expect(score.pauses == 2 && score.false_cuts == 1 && score.cuts_elsewhere == 0 && score.audible_starts == 1)
    }

    @Test func `a verdict is made once and outlives the run in its file`() async throws {
        let path = NSTemporaryDirectory() + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        let detector = ScriptedTurnDetector(clock: SystemClock(), latency: .zero, verdicts: [0.25])
        let digest = VerdictCache.digest(of: Self.samples)
        let first = try VerdictCache(detector, path: path)
        for _ in 0..<2 {
            let verdict = try await first.verdict(on: Self.samples, digest: digest, from: 0, to: 3200)
            #expect(verdict == 0.25)
        }
        #expect(await first.made == 1)
        try await first.save()
        let second = try VerdictCache(detector, path: path)
        #expect(try await second.verdict(on: Self.samples, digest: digest, from: 0, to: 3200) == 0.25)
        #expect(await second.made == 0)
    }

    @Test func `a file that holds no verdicts is refused`() throws {
        let path = NSTemporaryDirectory() + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("no".utf8).write(to: URL(fileURLWithPath: path))
        let detector = ScriptedTurnDetector(clock: SystemClock())
        let error = #expect(throws: VoiceError.self) { try VerdictCache(detector, path: path) }
        #expect(error?.code == .malformedInput)
    }

    @Test func `a folder without a set is missing input`() {
        let error = #expect(throws: VoiceError.self) { try PausedRecording.list(of: "/nowhere/at/all") }
        #expect(error?.code == .missingInput)
    }

    @Test func `the plot has a line for each family and escapes its words`() throws {
        let plot = EndpointPlot(
            title: "a < b & c",
            lines: [
                EndpointPlot.Line(name: "one", points: [(200, 90), (800, 10)], marks: [(200, 90, "200 ms")]),
                EndpointPlot.Line(name: "two", points: [(300, 50)], marks: []),
            ]
        )
        #expect(plot.svg.contains(">a &lt; b &amp; c</text>"))
        #expect(plot.svg.components(separatedBy: "<polyline").count == 3)
    }
}
