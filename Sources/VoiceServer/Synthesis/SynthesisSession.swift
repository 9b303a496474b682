internal import Audio
internal import NIOCore
internal import NIOWebSocket
internal import Transports
internal import VoiceCore

/// Carries out the actions of a ``SynthesisMachine`` for one client.
///
/// Two tasks: one hears the client, so that a `cancel` is never behind anything, one has the voice speak. The voice goes on
/// while less than half a second of its audio waits for the socket, and no faster than the pace.
actor SynthesisSession {
    private let connection: MessageConnection
    private let metrics: SynthesisMetrics
    private let clock: any SessionClock
    private var machine: SynthesisMachine
    /// Raised when there may be something to speak.
    private let work: Signal
    /// Finished when what is being spoken is to stop.
    private var stop: Mailbox<Never>?
    private var pace: SendingPace?

    /// What is sent at a time: what a player plays at a time, and little enough that a cut finds the rest still here.
    private static let slice = Duration.milliseconds(20)

    init(
        machine: consuming SynthesisMachine,
        connection: MessageConnection,
        pace: SendingPace?,
        metrics: SynthesisMetrics,
        clock: any SessionClock
    ) {
        self.machine = machine
        self.pace = pace
        self.connection = connection
        self.metrics = metrics
        self.clock = clock
        work = Signal(clock: clock)
    }

    /// Serves the client until it goes or the task is cancelled. Called once.
    /// - Returns: what to close the connection with.
    func run() async -> CloseReason {
        await withTaskGroup { group in
            group.addTask { await self.listen() }
            group.addTask { await self.speak() }
            await group.next()
            group.cancelAll()
        }
        return Task.isCancelled ? .shuttingDown : .ended
    }

    // MARK: - The client

    private func listen() async {
        while let next = await connection.next() {
            switch next.message {
            case .text(let text): perform(machine.receive(text, at: next.at))
            case .binary:
                perform([.say(.error(.malformedInput, "a binary message came; texts are JSON", isFatal: false))])
            }
        }
    }

    private func perform(_ actions: [SynthesisMachine.Action]) {
        var todo = actions[...]
        while let action = todo.popFirst() {
            switch action {
            case .say(let message): say(message, epoch: nil)
            case .sayBehind(let message, let epoch): say(message, epoch: epoch)
            case .stop: stop?.finish()
            case .forget(let epoch, let allBefore):
                let dropped = allBefore ? connection.cut(epoch: epoch) : connection.forget(epoch: epoch)
                metrics.cancelled(dropping: dropped)
                pace?.reset()
                todo = machine.forgot(dropped) + todo
            }
        }
        work.raise()
    }

    private func say(_ message: SynthesisProtocol.ServerMessage, epoch: Int?) {
        if case .error(let code, _, _) = message { metrics.service.failed(code) }
        let bytes = SynthesisProtocol.encode(message)
        // Whoever could be told of a failure has gone.
        if let epoch {
            try? connection.send(bytes, as: .text, lasting: .zero, epoch: epoch)
        } else {
            try? connection.send(bytes)
        }
    }

    // MARK: - The voice

    private func speak() async {
        while !Task.isCancelled, !connection.isClosing {
            guard let piece = machine.next() else {
                await work.wait()
                continue
            }
            let stop = Mailbox<Never>(capacity: 1, overflow: .refuseNewest, clock: clock)
            self.stop = stop
            await withTaskGroup { group in
                group.addTask { await self.speak(piece) }
                group.addTask { _ = await stop.next() }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func speak(_ piece: SynthesisMachine.Piece) async {
        do {
            var began = clock.now
            var arrival = piece.arrival
            // Of a reply that is being heard already more is needed, but others wait for their first sound.
            let urgency = Urgency(piece.isFirst ? .firstAudio : .refill(by: nil), epoch: piece.epoch)
            for try await chunk in piece.voice.synthesizer.speak(piece.text, urgency: urgency) {
                guard let (samples, before) = machine.made(chunk, of: piece) else { return }
                metrics.made(piece.rate.duration(ofSamples: samples.count), in: clock.now - began)
                if let before { say(before, epoch: piece.epoch) }
                if let text = arrival, !samples.isEmpty {
                    metrics.spoke(after: clock.now - text)
                    arrival = nil
                }
                if !samples.isEmpty { urgency.level = .refill(by: nil) }
                guard await play(samples, of: piece) else { return }
                began = clock.now
            }
            guard !Task.isCancelled, let tail = machine.tail(of: piece), await play(tail, of: piece) else { return }
            perform(machine.ended(piece))
        } catch {
            let name = piece.voice.name
            perform(machine.failed(piece, VoiceError.wrapping(error, doing: "the voice \(name) failed")))
        }
    }

    /// Sends audio as fast as the client takes it; false once the piece was cancelled or the client has gone.
    private func play(_ samples: [Float], of piece: SynthesisMachine.Piece) async -> Bool {
        let length = piece.rate.samples(in: Self.slice)
        var start = 0
        while start < samples.count {
            await connection.waitForRoom()
            let part = Array(samples[start..<min(samples.count, start + length)])
            let duration = piece.rate.duration(ofSamples: part.count)
            if let due = pace?.take(duration, at: clock.now), due > clock.now { try? await clock.sleep(until: due) }
            guard !Task.isCancelled, machine.isSpeaking(piece) else { return false }
            let bytes = ByteBuffer(bytes: PCM16.bytes(part))
            guard (try? connection.send(bytes, as: .binary, lasting: duration, epoch: piece.epoch)) != nil else {
                return false
            }
            machine.sent(part.count, of: piece)
            start += part.count
        }
        // Texts without a sound would never wait otherwise.
        await connection.waitForRoom()
        return machine.isSpeaking(piece)
    }
}
