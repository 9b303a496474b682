internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOWebSocket
internal import VoiceCore

/// What all callers of a crowd have in common.
struct CallerPlan: Sendable {
    /// Where the server is.
    var host: String
    var port: Int
    var sound: CallerSound
    var habits: Caller.Habits
    /// The rate at which they want answers.
    var playout: SampleRate
    /// Whether who has hung up calls again.
    var redials = false
}

/// The callers of one event loop, and their clock: each sends every 20 ms, at a time of its own.
///
/// Lives on the loop and is touched nowhere else.
final class CallerOffice {
    /// Places in the 20 ms at which callers send.
    private static let slots = 20

    let plan: CallerPlan
    private let loop: any EventLoop
    private let clock: any SessionClock
    private var lines: [CallerLine] = []
    private var ticks: [Scheduled<Void>?] = Array(repeating: nil, count: CallerOffice.slots)
    private var isStopped = false
    /// How late the office itself was at each tick, in milliseconds.
    private var lag: [Float] = []
    private(set) var isTalking = false

    init(_ plan: CallerPlan, loop: any EventLoop, clock: any SessionClock) {
        self.plan = plan
        self.loop = loop
        self.clock = clock
    }

    var now: Duration { clock.now }
    /// Callers who are connected now.
    var talking: Int { lines.count { $0.isTalking } }
    /// Callers whose first call has begun or never will.
    var arrived: Int { lines.count { $0.hasArrived } }
    var isAtRest: Bool { lines.allSatisfy(\.isAtRest) }

    /// Takes a caller, who dials at once. Every number is a person.
    func add(_ number: Int) {
        let line = CallerLine(number, office: self)
        lines.append(line)
        line.dial()
        let slot = (lines.count - 1) % Self.slots
        guard ticks[slot] == nil else { return }
        tick(slot, at: now + CallerSound.length * slot / Self.slots)
    }

    /// Has all callers ask, and those who come later.
    func talk() {
        isTalking = true
        for line in lines { line.talk() }
    }

    /// Has all callers hang up, for good.
    func stop() {
        isStopped = true
        for tick in ticks { tick?.cancel() }
        for line in lines { line.hangUp() }
    }

    /// Takes what was noticed since the last time.
    func takeNotes() -> (notes: CallerNotes, lag: [Float]) {
        defer { lag = [] }
        return (lines.reduce(into: CallerNotes()) { $0 += $1.takeNotes() }, lag)
    }

    private func tick(_ slot: Int, at due: Duration) {
        let wait = TimeAmount.nanoseconds(max(0, Int64((due - now).milliseconds * 1e6)))
        ticks[slot] = loop.assumeIsolated().scheduleTask(in: wait) { [self] in
            guard !isStopped else { return }
            lag.append(Float((now - due).milliseconds))
            for index in stride(from: slot, to: lines.count, by: Self.slots) { lines[index].tick(at: due) }
            tick(slot, at: due + CallerSound.length)
        }
    }

    // MARK: - dialling

    /// Opens a socket for a line, which is told what became of it.
    func connect(_ line: CallerLine) {
        let bound = NIOLoopBound(line, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(.seconds(10))
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { [plan] channel in
                channel.eventLoop.makeCompletedFuture { try Self.initialize(channel, plan, bound) }
            }
            .connect(host: plan.host, port: plan.port)
            .assumeIsolated()
            .whenFailure { bound.value.refused("\($0)", isFull: false) }
    }

    private static func initialize(
        _ channel: any Channel,
        _ plan: CallerPlan,
        _ line: NIOLoopBound<CallerLine>
    ) throws {
        let upgrader = NIOTypedWebSocketClientUpgrader<Bool>(maxFrameSize: 1 << 20) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(CallerSocket(line.value))
                return true
            }
        }
        let head = HTTPRequestHead(
            version: .http1_1,
            method: .GET,
            uri: "/ws",
            headers: ["Host": "\(plan.host):\(plan.port)"]
        )
        let upgrade = NIOTypedHTTPClientUpgradeConfiguration(
            upgradeRequestHead: head,
            upgraders: [upgrader],
            notUpgradingCompletionHandler: { $0.eventLoop.makeSucceededFuture(false) }
        )
        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: upgrade)
        configuration.leftOverBytesStrategy = .forwardBytes
        try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: configuration)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(true): line.value.opened()
                // Whoever speaks HTTP and opens no WebSocket has no room for one.
                case .success(false): line.value.refused("the server answered without a WebSocket", isFull: true)
                case .failure(let error): line.value.refused("\(error)", isFull: false)
                }
                if case .success(false) = result { channel.close(promise: nil) }
            }
    }
}
