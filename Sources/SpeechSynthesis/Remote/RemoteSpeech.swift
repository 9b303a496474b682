internal import ServerPool
internal import Synchronization
internal import VoiceCore

/// One text being spoken on a server, and on others when that fails. When its consumer drops it, the server is told to stop.
final class RemoteSpeech: Sendable {
    private struct Speaker {
        var line: SpeechLine
        var server: Int
        /// Nil where there is only one server.
        var lease: ServerLease?
    }

    private enum Phase {
        /// A server is to be found for this.
        case fresh(String)
        case speaking(Speaker)
        case over
    }

    private struct State {
        var phase: Phase
        var progress: SpeechProgress
        /// Servers that failed with this text, and how the last one did.
        var failed: Set<Int> = []
        var failure: VoiceError?
    }

    private let servers: VoiceServers
    private let rate: SampleRate
    private let state: Mutex<State>

    /// - Parameter rate: the voice's.
    init(_ text: String, by servers: VoiceServers, rate: SampleRate) {
        self.servers = servers
        self.rate = rate
        state = Mutex(State(phase: .fresh(text), progress: SpeechProgress(text, rate: rate)))
    }

    deinit {
        guard case .speaking(let speaker) = state.withLock({ $0.phase }) else { return }
        speaker.line.abandon()
        servers.giveBack(speaker.line, to: speaker.server)
    }

    /// Whether there is anything to say: the reference's server does not answer a text that is blank once it has taken the emoji out.
    static func hasWords(_ text: String) -> Bool { text.contains { $0.isLetter || $0.isNumber } }

    /// The next chunk, or nil after the last one and after cancellation. One caller at a time.
    func next() async throws(VoiceError) -> SpeechChunk? {
        while !Task.isCancelled {
            switch state.withLock({ $0.phase }) {
            case .over: return nil
            case .fresh(let text): try await begin(text)
            case .speaking(let speaker):
                do throws(VoiceError) {
                    if let chunk = try await speaker.line.next(speaker.lease) {
                        return state.withLock { $0.progress.take(chunk) }
                    }
                    if !Task.isCancelled { end(speaker) }
                    return nil
                } catch {
                    try goOn(after: error, of: speaker)
                }
            }
        }
        return nil
    }

    private func begin(_ text: String) async throws(VoiceError) {
        guard let pool = servers.pool else {
            let line = servers.takeLine(to: 0) ?? servers.makeLine(0, rate: rate)
            state.withLock { $0.phase = .speaking(Speaker(line: line, server: 0)) }
            return line.begin(text)
        }
        let (failed, failure) = state.withLock { ($0.failed, $0.failure) }
        guard let lease = pool.lease(except: failed.union(servers.unfit.all(at: servers.clock.now))) else {
            state.withLock { $0.phase = .over }
            throw failure ?? VoiceError(.unavailable, "no speech server is there: \(pool.trouble)")
        }
        if !failed.isEmpty { pool.failedOver() }
        let kept = servers.takeHoldingLine(to: lease.server)
        let line = kept ?? servers.makeLine(lease.server, rate: rate)
        let speaker = Speaker(line: line, server: lease.server, lease: lease)
        do throws(VoiceError) {
            if kept == nil { try await servers.prove(line, to: lease.server, rate: rate) }
        } catch {
            guard error.code != .cancelled else {
                state.withLock { $0.phase = .over }
                throw error
            }
            if error.code == .usage { servers.refuse(lease.server, error) }
            return leave(speaker, error)
        }
        state.withLock { $0.phase = .speaking(speaker) }
        line.begin(text, patience: servers.patience)
    }

    private func end(_ speaker: Speaker) {
        state.withLock { $0.phase = .over }
        speaker.lease?.note(.served)
        servers.giveBack(speaker.line, to: speaker.server)
    }

    /// Finds out what is left to say after a failure.
    /// - Throws: that failure, when nobody else can say it.
    private func goOn(after error: VoiceError, of speaker: Speaker) throws(VoiceError) {
        let rest = state.withLock { state -> String? in
            // The connection may be of no use any more.
            state.phase = .over
            return speaker.lease == nil ? nil : state.progress.goOn()
        }
        if speaker.lease != nil { leave(speaker, error) }
        guard let rest else { throw error }
        if Self.hasWords(rest) { state.withLock { $0.phase = .fresh(rest) } }
    }

    /// The server is not asked for this text again.
    private func leave(_ speaker: Speaker, _ error: VoiceError) {
        switch error.code {
        // It lacks the voice, and does nothing wrong.
        case .usage: break
        case .exhausted: speaker.lease?.note(.refused(speaker.line.refusal))
        default: speaker.lease?.note(.failed)
        }
        servers.forget(speaker.server)
        state.withLock { state in
            state.failed.insert(speaker.server)
            state.failure = error
        }
    }
}
