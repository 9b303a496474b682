internal import NIOPosix
internal import NIOSSL
internal import ServerPool
internal import Synchronization
internal import VoiceCore
internal import WebSocketClient

/// The servers that speak with one voice, one or the members of a pool, and the connections to them that nobody uses.
final class VoiceServers: Sendable {
    private struct State {
        /// By server.
        var idle: [Int: [SpeechLine]] = [:]
        /// Servers whose voice and rate are known to be right.
        var proven: Set<Int> = []
    }

    let addresses: [ServerAddress]
    /// Chooses among several; nil for one.
    let pool: ServerPool?
    /// Those that speak with another voice, or at another rate.
    let unfit = UnfitServers()
    let clock: any SessionClock
    private let voice: String?
    private let language: String?
    private let limits: RemoteSpeechLimits
    private let tls: NIOSSLContext?
    private let warn: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - voice: the servers' name for the voice; nil for their own choice.
    ///   - warn: told of a server that cannot be used.
    /// - Throws: `unavailable` when the machine has no usable certificates for an address that wants them.
    init(
        _ addresses: [ServerAddress],
        pool: ServerPool?,
        voice: String?,
        language: String?,
        limits: RemoteSpeechLimits,
        clock: any SessionClock,
        warn: @escaping @Sendable (String) -> Void
    ) throws(VoiceError) {
        self.addresses = addresses
        self.pool = pool
        self.voice = voice
        self.language = language
        self.limits = limits
        self.clock = clock
        self.warn = warn
        var tls: NIOSSLContext?
        for address in addresses where tls == nil { tls = try WebSocketLink.tls(for: address) }
        self.tls = tls
    }

    /// First audio that takes longer makes somebody look after the server.
    var patience: Duration { limits.patience }

    /// What people call them.
    var name: String { addresses.map(\.description).joined(separator: ", ") }

    /// Connects to all of them, side by side, and keeps the connections.
    /// - Returns: the rate of the first in order that speaks with the voice; others with another rate are left out.
    /// - Throws: the first one's failure, when there is none.
    func prepare() async throws(VoiceError) -> SampleRate {
        let answers = await withTaskGroup(of: (Int, Result<SampleRate, VoiceError>).self) { group in
            for server in addresses.indices {
                group.addTask { [self] in
                    let line = makeLine(server, rate: RemoteSpeechMachine.referenceRate)
                    do throws(VoiceError) {
                        let rate = try await line.prepare()
                        state.withLock { $0.idle[server] = [line] }
                        return (server, .success(rate))
                    } catch {
                        return (server, .failure(error))
                    }
                }
            }
            var answers: [(Int, Result<SampleRate, VoiceError>)] = []
            while let answer = await group.next() { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }
        }
        var rate: SampleRate?
        for case (_, .success(let its)) in answers where rate == nil { rate = its }
        guard let rate else {
            guard case (_, .failure(let error))? = answers.first else { throw VoiceError(.usage, "there is no server") }
            throw error
        }
        for (server, answer) in answers { judge(server, answer, rate) }
        return rate
    }

    /// Takes what a server said of its voice.
    /// - Returns: whether it can be used.
    @discardableResult
    private func judge(_ server: Int, _ answer: Result<SampleRate, VoiceError>, _ rate: SampleRate) -> Bool {
        switch answer {
        case .success(rate):
            state.withLock { _ = $0.proven.insert(server) }
            unfit.remove(server)
            return true
        case .success(let its):
            leaveOut(server, "the speech server \(addresses[server]) speaks at \(its.hertz) Hz, not at \(rate.hertz).")
        case .failure(let error) where error.code == .usage: leaveOut(server, error.message)
        case .failure(let error): warn(error.message)
        }
        return false
    }

    private func leaveOut(_ server: Int, _ why: String) {
        state.withLock { state in
            state.proven.remove(server)
            state.idle[server] = nil
        }
        if unfit.add(server, at: clock.now) { warn("\(why) It is left out.") }
    }

    // MARK: - Lines

    /// A connection that nobody uses, whether it still holds or not; nil for none.
    func takeLine(to server: Int) -> SpeechLine? { state.withLock { $0.idle[server]?.popLast() } }

    /// A connection that nobody uses and that still holds; nil for none.
    func takeHoldingLine(to server: Int) -> SpeechLine? {
        guard let line = takeLine(to: server) else { return nil }
        guard !line.settle() else { return line }
        // Whoever is there now may be another one, with another voice.
        forget(server)
        return nil
    }

    /// Gives back a connection that is ready for another text.
    func giveBack(_ line: SpeechLine, to server: Int) {
        state.withLock { state in
            if state.idle[server, default: []].count < limits.idleLines { state.idle[server, default: []].append(line) }
        }
    }

    /// Makes sure that the server of a new line speaks with the voice, at its rate: one that was not there at the start was not asked yet.
    /// - Throws: why it cannot be used.
    func prove(_ line: SpeechLine, to server: Int, rate: SampleRate) async throws(VoiceError) {
        guard !state.withLock({ $0.proven.contains(server) }) else { return }
        let its = try await line.prepare()
        guard judge(server, .success(its), rate) else {
            throw VoiceError(.usage, "the speech server \(addresses[server]) speaks at another rate")
        }
    }

    /// Leaves a server out that does not have the voice.
    func refuse(_ server: Int, _ error: VoiceError) { leaveOut(server, error.message) }

    /// A server is not what it was: it may have another voice when it comes back.
    func forget(_ server: Int) {
        state.withLock { state in
            state.proven.remove(server)
            state.idle[server] = nil
        }
    }

    /// A new line, not connected yet.
    /// - Parameter rate: the voice's.
    func makeLine(_ server: Int, rate: SampleRate) -> SpeechLine {
        let address = addresses[server]
        return SpeechLine(
            machine: RemoteSpeechMachine(place: "\(address)", voice: voice, language: language, limits: limits),
            rate: rate,
            link: WebSocketLink(
                address: address,
                limits: WebSocketLink.Limits(
                    connect: limits.connect,
                    messageBytes: limits.messageBytes,
                    messages: limits.messages,
                    overflow: .hold
                ),
                tls: tls,
                group: MultiThreadedEventLoopGroup.singleton,
                clock: clock
            ),
            clock: clock
        )
    }
}
