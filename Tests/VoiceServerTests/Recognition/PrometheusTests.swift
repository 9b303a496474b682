internal import CoreMetrics
internal import Testing

@testable internal import VoiceServer

@Suite struct PrometheusTests {
    @Test func `counters, gauges and histograms are written in the text format`() {
        let registry = PrometheusRegistry()
        Counter(label: "calls_total", dimensions: [("kind", "a\"b\\c\nd")], factory: registry).increment(by: 2)
        Counter(label: "calls_total", dimensions: [("kind", "z")], factory: registry).increment()
        FloatingPointCounter(label: "audio_seconds_total", dimensions: [], factory: registry).increment(by: 0.5)
        let open = Meter(label: "open", dimensions: [], factory: registry)
        open.increment()
        open.increment()
        open.decrement()
        let timer = Timer(label: "latency_seconds", dimensions: [("a", "1")], factory: registry)
        for milliseconds in [1, 3, 30_000] { timer.recordNanoseconds(Int64(milliseconds) * 1_000_000) }
        let lines = registry.text.split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(6) == [
                "# TYPE audio_seconds_total counter", "audio_seconds_total 0.5", "# TYPE calls_total counter",
                #"calls_total{kind="a\"b\\c\nd"} 2"#, #"calls_total{kind="z"} 1"#, "# TYPE latency_seconds histogram",
            ]
        )
        #expect(lines.contains(#"latency_seconds_bucket{a="1",le="0.001"} 1"#))
        #expect(lines.contains(#"latency_seconds_bucket{a="1",le="0.005"} 2"#))
        #expect(lines.contains(#"latency_seconds_bucket{a="1",le="10"} 2"#))
        #expect(lines.contains(#"latency_seconds_bucket{a="1",le="+Inf"} 3"#))
        #expect(lines.contains(#"latency_seconds_count{a="1"} 3"#))
        #expect(lines.suffix(2) == ["# TYPE open gauge", "open 1"])
    }

    @Test func `the same name and labels are the same series, in any order`() {
        let registry = PrometheusRegistry()
        Counter(label: "n", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "n", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(registry.text == "# TYPE n counter\nn{a=\"1\",b=\"2\"} 2\n")
    }

    @Test func `a name that is taken by another kind changes nothing`() {
        let registry = PrometheusRegistry()
        Counter(label: "n", dimensions: [], factory: registry).increment()
        Meter(label: "n", dimensions: [], factory: registry).set(7)
        #expect(registry.text == "# TYPE n counter\nn 1\n")
    }

    @Test(arguments: [("a.b-c", "a_b_c"), ("1a", "_a"), ("", "_"), ("ok:9", "ok:9"), ("grüße", "gr__e")])
    func `names have legal characters only`(label: String, name: String) {
        #expect(PrometheusText.name(label) == name)
    }

    @Test func `a recorder that does not aggregate keeps the last value, numbers that are none are ignored`() {
        let registry = PrometheusRegistry()
        let gauge = Recorder(label: "g", dimensions: [], aggregate: false, factory: registry)
        gauge.record(3)
        gauge.record(2.5)
        gauge.record(Double.nan)
        #expect(registry.text == "# TYPE g gauge\ng 2.5\n")
    }

    @Test func `the series of one name are bounded`() {
        let registry = PrometheusRegistry()
        for index in 0..<1_200 { Counter(label: "n", dimensions: [("i", "\(index)")], factory: registry).increment() }
        #expect(registry.text.split(separator: "\n").count == 1_001)
    }
}
