public import CoreMetrics
internal import Synchronization

/// A backend of swift-metrics that keeps all numbers in memory and writes them in the text format of Prometheus.
///
/// Counters become counters, meters and recorders that do not aggregate gauges, other recorders and timers histograms;
/// timers are in seconds. The same label with the same dimensions is the same series. A program bootstraps
/// `MetricsSystem` with one registry, once, in its executable; a server writes it at `/metrics`.
public final class PrometheusRegistry: MetricsFactory {
    /// What Prometheus calls a kind of metric.
    enum Kind: String, Sendable { case counter, gauge, histogram }

    /// All series of one name.
    struct Family: Sendable {
        var kind: Kind
        /// By the text of their labels.
        var series: [String: PrometheusSeries] = [:]
    }

    /// The upper bounds of the histograms' buckets: half steps from 1 ms to 10 s, for times in seconds.
    static let bounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// Labels come from our own code, but one that grows with what clients send would fill the memory.
    private static let maximumSeriesOfFamily = 1_000

    private let families = Mutex<[String: Family]>([:])

    /// Makes an empty registry.
    public init() {}

    /// All numbers in the text format, version 0.0.4, sorted by name.
    public var text: String {
        let families = families.withLock { $0 }
        return families.sorted { $0.key < $1.key }.map { PrometheusText.family($0.key, $0.value, Self.bounds) }.joined()
    }

    /// Makes a counter.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        PrometheusHandler(series(.counter, label, dimensions))
    }

    /// Makes a counter of fractions.
    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        PrometheusHandler(series(.counter, label, dimensions))
    }

    /// Makes a gauge.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        PrometheusHandler(series(.gauge, label, dimensions))
    }

    /// Makes a histogram, or a gauge if only the last value counts.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate
            ? PrometheusHandler(series(.histogram, label, dimensions))
            : PrometheusGaugeRecorder(series(.gauge, label, dimensions))
    }

    /// Makes a histogram of times in seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        PrometheusHandler(series(.histogram, label, dimensions))
    }

    /// Does nothing: a counter that vanished and came back would look like one that was reset.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Does nothing, as for counters.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    /// Does nothing, as for counters.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// Does nothing, as for counters.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Does nothing, as for counters.
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// The series of a name with these labels, made if it is new. A name that is taken by another kind, and one series too
    /// many, get a series that nobody will ever read.
    private func series(_ kind: Kind, _ label: String, _ dimensions: [(String, String)]) -> PrometheusSeries {
        let name = PrometheusText.name(label)
        let labels = PrometheusText.labels(dimensions)
        let fresh = kind == .histogram ? PrometheusSeries(bounds: Self.bounds) : PrometheusSeries()
        return families.withLock { families in
            var family = families[name] ?? Family(kind: kind)
            if family.kind == kind, let known = family.series[labels] { return known }
            guard family.kind == kind, family.series.count < Self.maximumSeriesOfFamily else { return fresh }
            family.series[labels] = fresh
            families[name] = family
            return fresh
        }
    }
}
