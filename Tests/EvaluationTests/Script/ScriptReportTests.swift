internal import Testing
internal import VoiceCore

@testable internal import Evaluation

/// What people and CI systems are told.
struct ScriptReportTests {
    private static let report: ScriptReport = {
        var failed = ScriptResult(name: "a/b", file: "a.yaml", status: .failed)
        failed.turns = [.init(index: 0, user: "say \"<hi>\" & go", hasPassed: false)]
        failed.failures = [
            ScriptFailure(turn: 0, expectation: 1, event: "response", kind: .timeout, reason: "no response came\u{1}")
        ]
        failed.duration = .milliseconds(1500)
        let passed = ScriptResult(name: "a/c", file: "a.yaml", status: .passed)
        return ScriptReport([failed, passed, .skipped("d/e", file: "d.yaml", run: 2, "no pictures")])
    }()

    @Test func `a failure says where, what was expected and what came`() {
        let lines = Self.report.text.split(separator: "\n")
        #expect(lines.contains("FAIL  a/b  1.5 s"))
        #expect(
            lines.contains { $0.contains("turn 0 'say \"<hi>\" & go', expectation 1 (response): no response came") }
        )
        #expect(lines.contains("skip  d/e (run 2): no pictures"))
        #expect(lines.last == "1 passed, 1 failed, 1 skipped")
    }

    // Tests/CommandLine/run has a parser read it.
    @Test func `the XML escapes what people say`() {
        let xml = Self.report.junit
        #expect(xml.contains(#"<testsuites tests="3" failures="1" skipped="1">"#))
        #expect(
            xml.contains(
                #"<testcase classname="d.yaml" name="d/e (run 2)" time="0.0"><skipped message="no pictures"/>"#
            )
        )
        #expect(xml.contains("<failure type=\"timeout\" message=\"turn 0 'say &quot;&lt;hi&gt;&quot; &amp; go'"))
        #expect(!xml.contains("\u{1}"))
    }

    @Test func `the object has every result`() throws {
        let json = try #require(JSONValue(json: Self.report.json.json))
        #expect(json["failed"] == 1)
        let scenarios = try #require(json["scenarios"]?.elements)
        #expect(scenarios.map { $0["status"] } == ["failed", "passed", "skipped"])
        #expect(scenarios[0]["failures"]?.elements?.first?["kind"] == "timeout")
        #expect(scenarios[0]["duration_ms"] == 1500)
    }
}
