internal import CoreMetrics

/// What is counted of a pool.
struct PoolMetrics: Sendable {
    private let engine: String
    private let states: [ServerState: Meter]
    private let failovers: Counter
    private let requests: [Counter]

    /// - Parameters:
    ///   - engine: `asr`, `llm` or `tts`.
    ///   - servers: their names.
    init(_ engine: String, servers: [String], factory: any MetricsFactory) {
        self.engine = engine
        var states: [ServerState: Meter] = [:]
        for state in ServerState.allCases {
            let labels = [("engine", engine), ("state", state.rawValue)]
            states[state] = Meter(label: "voice_pool_servers", dimensions: labels, factory: factory)
        }
        self.states = states
        failovers = Counter(label: "voice_pool_failovers_total", dimensions: [("engine", engine)], factory: factory)
        requests = servers.map { server in
            let labels = [("engine", engine), ("server", server)]
            return Counter(label: "voice_pool_requests_total", dimensions: labels, factory: factory)
        }
    }

    /// Notes a request.
    func asked(_ server: Int) { requests[server].increment() }

    /// Notes that something went on on another server than that on which it began.
    func failedOver() { failovers.increment() }

    /// Tells what all servers are.
    func show(_ all: [ServerState]) {
        for (state, meter) in states { meter.set(all.count { $0 == state }) }
    }
}
