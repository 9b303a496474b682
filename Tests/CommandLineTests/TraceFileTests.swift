internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import Repartee

@Suite struct TraceFileTests {
    private func path() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UUID().uuidString).json").path
    }

    private func span(_ group: String, _ row: String, _ name: String, at milliseconds: Int) -> TraceSpan {
        let start = Duration.milliseconds(milliseconds)
        return TraceSpan(group: group, row: row, name: name, start: start, end: start + .milliseconds(5))
    }

    @Test func `spans are complete events in microseconds, groups and rows have names`() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try TraceFile(path: path)
        file.record(span("CPU", "quanta", "llm.decode", at: 10))
        file.record(span("session \"1\"", "person", "speaking", at: 20))
        file.record(span("CPU", "quanta", "llm.decode", at: 30))
        file.close()
        let data = try #require(FileManager.default.contents(atPath: path))
        let events = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        let spans = events.filter { $0["ph"] as? String == "X" }
        #expect(spans.map { $0["ts"] as? Double } == [10_000, 20_000, 30_000])
        #expect(spans.allSatisfy { $0["dur"] as? Double == 5_000 })
        #expect(spans[0]["pid"] as? Int == spans[2]["pid"] as? Int)
        #expect(spans[0]["pid"] as? Int != spans[1]["pid"] as? Int)
        let names = events.filter { $0["ph"] as? String == "M" }
            .compactMap { ($0["args"] as? [String: String])?["name"] }
        #expect(Set(names) == ["CPU", "quanta", "session \"1\"", "person"])
    }

    @Test func `a trace of nothing is an empty array`() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try TraceFile(path: path).close()
        let data = try #require(FileManager.default.contents(atPath: path))
        #expect(try (JSONSerialization.jsonObject(with: data) as? [Any])?.isEmpty == true)
    }

    @Test func `a place that cannot be written is refused`() {
        let error = #expect(throws: VoiceError.self) { try TraceFile(path: "/nowhere/at/all.json") }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("/nowhere/at/all.json") == true)
    }
}
