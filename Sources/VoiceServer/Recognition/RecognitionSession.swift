internal import Logging
internal import NIOCore
internal import Transports
internal import VoiceCore

/// Carries out the actions of a ``RecognitionMachine`` for one client.
///
/// ``run()`` is called once, by the task that owns the session. While the recogniser works, further messages wait in the
/// connection, which stops reading when too many do.
struct RecognitionSession: ~Copyable {
    private let recognizer: any SpeechRecognizer
    private let connection: MessageConnection
    private let metrics: RecognitionMetrics
    private let clock: any SessionClock
    private var machine: RecognitionMachine
    private var stream: (any RecognizerStream)?
    /// When the message that is being worked on had arrived.
    private var arrival: Duration
    /// Audio that was received and not given to the recogniser yet: at 16 kHz, and bytes of the running message.
    private var waiting: Duration = .zero
    private var waitingBytes = 0

    /// Bytes of a message taken at a time, so that a long one is never in memory in all its forms.
    private static let slice = 32 * 1024

    init(
        recognizer: any SpeechRecognizer,
        options: RecognitionOptions,
        connection: MessageConnection,
        metrics: RecognitionMetrics,
        clock: any SessionClock
    ) {
        self.recognizer = recognizer
        self.connection = connection
        self.metrics = metrics
        self.clock = clock
        machine = RecognitionMachine(model: recognizer.name, standard: options)
        arrival = clock.now
    }

    /// Serves the client until it goes, the task is cancelled, or the session cannot go on.
    /// - Returns: what to close the connection with.
    mutating func run() async -> CloseReason {
        var reason = await perform(machine.begin())
        while reason == nil, let next = await connection.next() {
            arrival = next.at
            switch next.message {
            case .text(let text): reason = await perform(machine.receive(text: text))
            case .binary(let audio): reason = await take(audio)
            }
        }
        stream = nil
        noteLostAudio()
        return Task.isCancelled ? .shuttingDown : reason ?? .ended
    }

    private mutating func take(_ audio: ByteBuffer) async -> CloseReason? {
        var rest = audio
        while let slice = rest.readSlice(length: min(Self.slice, rest.readableBytes)), slice.readableBytes > 0 {
            waitingBytes = rest.readableBytes
            if let reason = await perform(machine.receive(audio: slice)) { return reason }
        }
        return nil
    }

    /// Does what the machine says, and what it says about that.
    /// - Returns: what to close with, if the session is over.
    private mutating func perform(_ actions: [RecognitionMachine.Action]) async -> CloseReason? {
        for action in actions { if case .feed(let samples) = action { waiting += duration(samples) } }
        var todo = actions[...]
        while let action = todo.popFirst() {
            switch action {
            case .open(let options): todo = await open(options) + todo
            case .feed(let samples): todo = await feed(samples) + todo
            case .finish(let flush): todo = await finish(flush) + todo
            case .say(let message): if let reason = say(message) { return reason }
            case .close(let reason): return reason
            }
        }
        return nil
    }

    private mutating func open(_ options: RecognitionOptions) async -> [RecognitionMachine.Action] {
        // A recogniser with little room may need it for the next stream.
        stream = nil
        do throws(VoiceError) {
            stream = try await recognizer.openStream(options)
            return machine.opened()
        } catch {
            return machine.openFailed(error)
        }
    }

    private mutating func feed(_ samples: [Float]) async -> [RecognitionMachine.Action] {
        do throws(VoiceError) {
            let partial = try await stream?.feed(samples)
            waiting -= duration(samples)
            metrics.service.worked(on: duration(samples))
            return machine.heard(partial)
        } catch {
            return machine.failed(error)
        }
    }

    private mutating func finish(_ flush: RecognitionFlush) async -> [RecognitionMachine.Action] {
        do throws(VoiceError) {
            guard let final = try await stream?.finish(flushing: flush) else { return [] }
            metrics.finished(after: clock.now - arrival)
            return machine.finished(final)
        } catch {
            return machine.failed(error)
        }
    }

    private func say(_ message: RecognitionProtocol.ServerMessage) -> CloseReason? {
        var isProvisional = false
        if case .transcript(let transcript) = message { isProvisional = transcript.finality == .interim }
        if case .error(let code, _) = message { metrics.service.failed(code) }
        do {
            try connection.send(RecognitionProtocol.encode(message), isProvisional: isProvisional)
            return nil
        } catch {
            // Whoever could be told has gone, or is being told already.
            return connection.isClosing ? .ended : .failure(error)
        }
    }

    /// Audio that will not be recognised any more is counted.
    private mutating func noteLostAudio() {
        var bytes = waitingBytes
        for arrival in connection.rest() {
            if case .binary(let audio) = arrival.message { bytes += audio.readableBytes }
        }
        metrics.service.dropped(waiting + machine.settings.rate.duration(ofSamples: bytes / 2))
    }

    private func duration(_ samples: [Float]) -> Duration { SampleRate.speech.duration(ofSamples: samples.count) }
}
