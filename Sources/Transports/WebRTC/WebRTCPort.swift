internal import NIOCore
internal import NIOPosix
package import VoiceCore
internal import WebRTC

/// The UDP port of all WebRTC connections of a process, on one event loop: its peers, their timers, and who they belong to.
///
/// Methods may be called from any task.
package final class WebRTCPort: Sendable {
    /// What a port is like.
    package struct Configuration: Sendable {
        /// The address to listen on; `0.0.0.0` or `::` for everywhere.
        package var host: String
        /// The UDP port; 0 lets the system choose one.
        package var port: Int
        /// Under which addresses people reach it; empty for those of this machine's interfaces that it listens on.
        package var publicAddresses: [String] = []
        /// The most connections at a time, those that are still being made included.
        package var maximumConnections = 64
        /// The length of the packets that are sent: 10 or 20 ms.
        package var frame = Duration.milliseconds(20)
        /// How long a browser may take from its offer until it is connected.
        package var connectTimeout = Duration.seconds(30)
        /// How long a browser may give no sign of life.
        package var consentTimeout = Duration.seconds(30)

        /// Makes a configuration with the defaults.
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// So many conversations run on the port's own event loop, where nobody has to be woken for them; more would keep it from its
    /// datagrams.
    private static let mostOnLoop = 16
    /// Senders that are remembered; beyond that all are forgotten.
    private static let senderLimit = 1_024

    /// New connections, each once, as their first offers are answered. One consumer.
    package let arrivals: AsyncStream<WebRTCConnection>
    /// Where it listens.
    package let localPort: Int

    private let channel: any Channel
    private let state: NIOLoopBound<State>
    private let configuration: Configuration
    private let peers: PeerConfiguration
    private let about: RTVIAbout
    private let models: @Sendable () -> ModelNames
    private let limits: WebSocketLimits
    private let counters: TransportCounters
    private let clock: any SessionClock

    /// What belongs to the event loop.
    private final class State {
        final class Entry {
            let call: WebRTCCall
            let connection: WebRTCConnection
            let greeting: EventLoopPromise<Bool>
            let closed: EventLoopPromise<Void>
            var timer: (due: Duration, callback: NIOScheduledCallback)?
            /// Where its datagrams go, in both forms: it seldom changes.
            var route: (destination: NetworkAddress, address: SocketAddress)?

            init(
                call: WebRTCCall,
                connection: WebRTCConnection,
                greeting: EventLoopPromise<Bool>,
                closed: EventLoopPromise<Void>
            ) {
                self.call = call
                self.connection = connection
                self.greeting = greeting
                self.closed = closed
            }
        }

        var table: PeerTable
        var entries: [String: Entry] = [:]
        /// The same by their calls' peers.
        var owners: [ObjectIdentifier: Entry] = [:]
        var arrive: AsyncStream<WebRTCConnection>.Continuation
        /// Senders of late, in both forms: their text is the way from one to the other, and too long for every datagram.
        var senders: [SocketAddress: NetworkAddress] = [:]
        /// Datagrams that the socket had no room for.
        var unsent = 0

        init(capacity: Int, arrive: AsyncStream<WebRTCConnection>.Continuation) {
            table = PeerTable(capacity: capacity)
            self.arrive = arrive
        }
    }

    private init(
        channel: any Channel,
        configuration: Configuration,
        peers: PeerConfiguration,
        about: RTVIAbout,
        models: @escaping @Sendable () -> ModelNames,
        limits: WebSocketLimits,
        counters: TransportCounters,
        clock: any SessionClock
    ) {
        let (arrivals, arrive) = AsyncStream.makeStream(of: WebRTCConnection.self)
        self.arrivals = arrivals
        self.channel = channel
        self.configuration = configuration
        self.peers = peers
        self.about = about
        self.models = models
        self.limits = limits
        self.counters = counters
        self.clock = clock
        localPort = channel.localAddress?.port ?? configuration.port
        state = NIOLoopBound(
            State(capacity: configuration.maximumConnections, arrive: arrive),
            eventLoop: channel.eventLoop
        )
    }

    /// Opens the port.
    ///
    /// - Parameters:
    ///   - about: what clients are told of the agent.
    ///   - models: the models' names, for measurements; asked for each connection.
    /// - Throws: ``VoiceError/Code/unavailable`` when the port cannot be opened or no address is there, ``VoiceError/Code/usage`` when
    ///   an address is none.
    package static func open(
        _ configuration: Configuration,
        about: RTVIAbout,
        models: @escaping @Sendable () -> ModelNames,
        limits: WebSocketLimits = WebSocketLimits(),
        counters: TransportCounters,
        clock: any SessionClock
    ) async throws(VoiceError) -> WebRTCPort {
        let identity = try DTLSIdentity()
        do {
            return try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.socketOption(.so_rcvbuf), value: 1 << 20)
                .bind(host: configuration.host, port: configuration.port)
                .flatMapThrowing { channel in
                    let local = channel.localAddress?.port ?? configuration.port
                    var peers = PeerConfiguration(
                        identity: identity,
                        addresses: try configuration.addresses(port: local)
                    )
                    peers.connectTimeout = configuration.connectTimeout
                    peers.consentTimeout = configuration.consentTimeout
                    let port = WebRTCPort(
                        channel: channel,
                        configuration: configuration,
                        peers: peers,
                        about: about,
                        models: models,
                        limits: limits,
                        counters: counters,
                        clock: clock
                    )
                    try channel.pipeline.syncOperations.addHandler(Handler(port))
                    return port
                }
                .get()
        } catch let error as VoiceError {
            throw error
        } catch {
            let place = "UDP port \(configuration.port) of \(configuration.host)"
            throw VoiceError(.unavailable, "\(place) cannot be opened for WebRTC", cause: error)
        }
    }

    /// Answers an offer: of a new connection, or a later one of a connection that is known.
    ///
    /// - Parameters:
    ///   - id: the name of the connection; nil, or a name that is not known, for a new one.
    ///   - restarts: true to end the known connection and to make a new one.
    /// - Returns: the answer and the connection's name.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the offer cannot be accepted, ``VoiceError/Code/exhausted`` when there are too
    ///   many connections.
    package func answer(
        _ offer: String,
        id: String?,
        restarts: Bool
    ) async throws(VoiceError) -> (answer: String, id: String) {
        do {
            return try await channel.eventLoop.submit { [self] in
                try answer(offer, id: id, restarts: restarts, state.value)
            }.get()
        } catch {
            throw VoiceError.wrapping(error, doing: "the offer could not be answered")
        }
    }

    /// True if there is a connection of this name.
    package func knows(_ id: String) async -> Bool {
        (try? await channel.eventLoop.submit { [self] in state.value.entries[id] != nil }.get()) ?? false
    }

    /// Ends all connections and the port.
    package func close() async {
        try? await channel.eventLoop.submit { [self] in
            let state = state.value
            for entry in Array(state.entries.values) {
                entry.call.close(.shuttingDown, at: clock.now)
                drain(entry, state)
            }
            state.arrive.finish()
        }.get()
        try? await channel.close()
    }

    /// Does something with a connection, if it is still there, and then what follows from it.
    func perform(on id: String, _ work: @escaping @Sendable (WebRTCCall, Duration) -> Void) {
        channel.eventLoop.execute { [self] in
            let state = state.value
            guard let entry = state.entries[id] else { return }
            work(entry.call, clock.now)
            drain(entry, state)
        }
    }

    // MARK: - on the event loop

    private func answer(
        _ offer: String,
        id: String?,
        restarts: Bool,
        _ state: State
    ) throws -> (answer: String, id: String) {
        let now = clock.now
        if let id, let entry = state.entries[id] {
            guard restarts else {
                let answer = try entry.call.answer(offer, at: now)
                try state.table.register(entry.call.peer)
                drain(entry, state)
                return (answer, id)
            }
            let fresh = try begin(offer, at: now, state)
            entry.call.close(.ended, isReplaced: true, at: now)
            drain(entry, state)
            return fresh
        }
        return try begin(offer, at: now, state)
    }

    /// Makes a call of a first offer.
    private func begin(_ offer: String, at now: Duration, _ state: State) throws -> (answer: String, id: String) {
        let call = try WebRTCCall(
            peers: peers,
            frame: configuration.frame,
            about: about,
            models: models(),
            limits: limits,
            at: now
        )
        let answer = try call.answer(offer, at: now)
        try state.table.register(call.peer)
        let id = Self.makeName()
        let (greeting, closed) = (
            channel.eventLoop.makePromise(of: Bool.self), channel.eventLoop.makePromise(of: Void.self)
        )
        let isShared = state.entries.count < Self.mostOnLoop
        let loop = isShared ? channel.eventLoop : MultiThreadedEventLoopGroup.singleton.next()
        let connection = WebRTCConnection(
            id: id,
            port: self,
            executor: LoopExecutor(loop),
            greeting: greeting.futureResult,
            closed: closed.futureResult,
            limits: limits,
            counters: counters
        )
        let entry = State.Entry(call: call, connection: connection, greeting: greeting, closed: closed)
        state.entries[id] = entry
        state.owners[ObjectIdentifier(call.peer)] = entry
        state.arrive.yield(connection)
        drain(entry, state)
        return (answer, id)
    }

    private static func makeName() -> String {
        "webrtc-" + String(UInt64.random(in: .min ... .max), radix: 36)
            + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    private func receive(_ datagram: [UInt8], from sender: SocketAddress) {
        let state = state.value
        let now = clock.now
        guard let source = Self.source(sender, state),
            let peer = state.table.handle(datagram, from: source, at: now),
            let entry = state.owners[ObjectIdentifier(peer)]
        else { return }
        entry.call.drain(at: now)
        drain(entry, state)
    }

    /// Does what a call wants done, and sets its timer.
    private func drain(_ entry: State.Entry, _ state: State) {
        var hasWritten = false
        defer { if hasWritten { channel.flush() } }
        while let output = entry.call.poll() {
            switch output {
            case .transmit(let datagram):
                write(datagram, of: entry, state)
                hasWritten = true
            case .greet: entry.greeting.succeed(true)
            case .deliver(let event):
                guard !entry.connection.push(event) else { continue }
                entry.call.close(.policyViolation("more messages came than the conversation can take"), at: clock.now)
            case .ended(let reason): return remove(entry, reason, state)
            }
        }
        setTimer(entry)
    }

    /// Wakes the call when it is next due. A timer that is set for earlier stays, and sets the next one when it comes: most datagrams put
    /// off what is due, and cancelling costs more than an idle look now and then. Not one that would come within a frame for nothing: of
    /// those there would be 50 a second.
    private func setTimer(_ entry: State.Entry) {
        let due = entry.call.nextTimeout
        if let due, let set = entry.timer?.due, set <= due {
            guard set < due, set - clock.now < configuration.frame else { return }
        }
        entry.timer?.callback.cancel()
        entry.timer = nil
        guard let due else { return }
        let alarm = Alarm(port: self, id: entry.connection.id)
        // Refused by a loop that has ended, which needs no timers.
        guard let callback = try? channel.eventLoop.scheduleCallback(in: TimeAmount(due - clock.now), handler: alarm)
        else { return }
        entry.timer = (due, callback)
    }

    /// Wakes a call.
    private struct Alarm: NIOScheduledCallbackHandler, Sendable {
        let port: WebRTCPort
        let id: String

        func handleScheduledCallback(eventLoop: some EventLoop) { port.wake(id) }
    }

    private func wake(_ id: String) {
        let state = state.value
        guard let entry = state.entries[id] else { return }
        entry.timer = nil
        let now = clock.now
        guard let due = entry.call.nextTimeout, due <= now else { return setTimer(entry) }
        entry.call.handleTimeout(at: now)
        drain(entry, state)
    }

    /// Forgets a call that is over. What it still had to send is behind `ended` in no case.
    private func remove(_ entry: State.Entry, _ reason: CloseReason, _ state: State) {
        while let output = entry.call.poll() {
            if case .transmit(let datagram) = output { write(datagram, of: entry, state) }
        }
        channel.flush()
        guard state.entries.removeValue(forKey: entry.connection.id) != nil else { return }
        entry.timer?.callback.cancel()
        entry.timer = nil
        state.table.remove(entry.call.peer)
        state.owners[ObjectIdentifier(entry.call.peer)] = nil
        counters.note(reason)
        if entry.call.dropped > .zero { counters.note(playoutDropped: entry.call.dropped) }
        if entry.call.microphoneDropped > .zero { counters.note(microphoneDropped: entry.call.microphoneDropped) }
        entry.connection.end()
        entry.greeting.succeed(false)
        entry.closed.succeed()
    }

    private func write(_ datagram: Datagram, of entry: State.Entry, _ state: State) {
        guard channel.isWritable, let address = socketAddress(datagram.destination, of: entry) else {
            state.unsent += 1
            return
        }
        let envelope = AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: datagram.bytes))
        channel.write(envelope, promise: nil)
    }

    private static func source(_ sender: SocketAddress, _ state: State) -> NetworkAddress? {
        if let known = state.senders[sender] { return known }
        let source = NetworkAddress(sender)
        if state.senders.count >= senderLimit { state.senders = [:] }
        state.senders[sender] = source
        return source
    }

    private func socketAddress(_ destination: NetworkAddress, of entry: State.Entry) -> SocketAddress? {
        if let route = entry.route, route.destination == destination { return route.address }
        let address = destination.socketAddress(for: channel.localAddress)
        entry.route = address.map { (destination, $0) }
        return address
    }

    // MARK: - the channel

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        private let port: WebRTCPort

        init(_ port: WebRTCPort) { self.port = port }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = Self.unwrapInboundIn(data)
            port.receive(Array(envelope.data.readableBytesView), from: envelope.remoteAddress)
        }

        // An error of one datagram (ICMP, say) is none of the port.
        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }
}
