internal import CoreMetrics

/// One handler for all kinds of metrics but one: what is recorded is added to the series or noted in its histogram.
final class PrometheusHandler: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler
{
    private let series: PrometheusSeries

    init(_ series: PrometheusSeries) { self.series = series }

    func increment(by amount: Int64) { if amount > 0 { series.add(Double(amount)) } }
    func increment(by amount: Double) { if amount > 0 { series.add(amount) } }
    func decrement(by amount: Double) { series.add(-amount) }
    func set(_ value: Int64) { series.set(Double(value)) }
    func set(_ value: Double) { series.set(value) }
    func record(_ value: Int64) { series.add(Double(value)) }
    func record(_ value: Double) { series.add(value) }
    func recordNanoseconds(_ duration: Int64) { series.add(Double(duration) / 1e9) }
    func reset() { series.reset() }
}

/// A recorder of which only the last value counts.
final class PrometheusGaugeRecorder: RecorderHandler {
    private let series: PrometheusSeries

    init(_ series: PrometheusSeries) { self.series = series }

    func record(_ value: Int64) { series.set(Double(value)) }
    func record(_ value: Double) { series.set(value) }
}
