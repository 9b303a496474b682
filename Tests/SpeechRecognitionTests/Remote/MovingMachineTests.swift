internal import ServerPool
internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

/// A stream that may go to another server in the middle of an utterance.
@Suite struct MovingMachineTests {
    private static let reset = #"say {"type":"reset","finalize":true}"#

    private struct Driver: ~Copyable {
        var machine: RemoteMachine
        var now = Duration.zero

        init(servers: Int = 2) {
            machine = RemoteMachine(place: "ws://h:1", limits: .pool(of: servers))
            _ = handle(.open)
            _ = say(#"{"type":"ready"}"#)
        }

        mutating func handle(_ event: RemoteMachine.Event, at now: Duration? = nil) -> [String] {
            self.now = now ?? self.now
            return machine.handle(event, at: self.now).map(Self.word)
        }

        mutating func say(_ message: String) -> [String] { handle(.message(message)) }
        mutating func ready() -> [String] { say(#"{"type":"ready"}"#) }
        mutating func audio(_ count: Int) -> [String] { handle(.audio([Float](repeating: 0.5, count: count))) }

        mutating func transcript(_ text: String, isFinal: Bool) -> [String] {
            say(#"{"type":"transcript","text":"\#(text)","is_final":\#(isFinal)}"#)
        }

        private static func word(_ action: RemoteMachine.Action) -> String {
            switch action {
            case .connect: "connect"
            case .disconnect: "disconnect"
            case .say(let text): "say \(text)"
            case .send(let samples): "send \(samples.count)"
            case .note(let verdict): "note \(verdict)"
            case .leaveOut: "leave out"
            case .ready: "ready"
            case .partial(let text, _): "partial \(text)"
            case .final(let text): "final \(text)"
            case .failed(let error): "failed \(error.code)"
            }
        }
    }

    @Test func `an utterance whose connection is lost is begun again elsewhere`() {
        var driver = Driver()
        _ = driver.audio(960)
        _ = driver.audio(960)
        #expect(driver.handle(.closed(why: "x")) == ["note failed", "connect"])
        #expect(driver.audio(960) == [])
        #expect(driver.ready() == ["send 2880"])
        #expect(driver.handle(.finish(.lookahead)) == [Self.reset])
        #expect(driver.transcript("Hello.", isFinal: true) == ["note served", "final Hello."])
        // The next utterance begins with nothing of it.
        #expect(driver.audio(960) == ["send 960"])
        #expect(driver.handle(.closed(why: "x")) == ["note failed", "connect"])
        #expect(driver.ready() == ["send 960"])
    }

    @Test func `a connection that is lost while the final transcript is waited for is no loss either`() {
        var driver = Driver()
        _ = driver.audio(16_000)
        _ = driver.handle(.finish(.lookahead), at: .seconds(1))
        #expect(driver.handle(.closed(why: "x")) == ["note failed", "connect"])
        #expect(driver.ready() == ["send 16000", Self.reset])
        // A second to understand it, and two as always.
        #expect(driver.handle(.time, at: .milliseconds(3_999)).contains("failed unavailable") == false)
        #expect(driver.transcript("Hello.", isFinal: true) == ["note served", "final Hello."])
    }

    @Test func `a server that gives no final in time is looked after, then left`() {
        var driver = Driver()
        _ = driver.audio(1_600)
        _ = driver.handle(.finish(.lookahead))
        #expect(driver.machine.deadline == .milliseconds(800))
        #expect(driver.handle(.time, at: .milliseconds(800)) == ["note slow"])
        #expect(driver.machine.deadline == .milliseconds(2_100))
        #expect(driver.handle(.time, at: .milliseconds(2_100)) == ["disconnect", "note failed", "connect"])
        #expect(driver.ready() == ["send 1600", Self.reset])
    }

    @Test func `one that is found dead is left at once`() {
        var driver = Driver()
        _ = driver.audio(1_600)
        _ = driver.handle(.finish(.lookahead))
        #expect(driver.handle(.lost, at: .seconds(1)) == ["disconnect", "connect"])
        #expect(driver.ready() == ["send 1600", Self.reset])
    }

    @Test func `partial transcripts do not go back`() {
        var driver = Driver()
        _ = driver.audio(960)
        #expect(driver.transcript("one two three", isFinal: false) == ["partial one two three"])
        _ = driver.handle(.closed(why: "x"))
        _ = driver.ready()
        #expect(driver.transcript("one", isFinal: false) == [])
        #expect(driver.transcript("one too three", isFinal: false) == ["partial one too three"])
        #expect(driver.transcript("one two three four", isFinal: false) == ["partial one two three four"])
        _ = driver.handle(.finish(.lookahead))
        _ = driver.transcript("One two three four.", isFinal: true)
        _ = driver.audio(960)
        #expect(driver.transcript("five", isFinal: false) == ["partial five"])
    }

    @Test func `text of earlier utterances is not taken out of another server's`() {
        var driver = Driver()
        _ = driver.audio(960)
        _ = driver.handle(.finish(.none))
        #expect(driver.transcript("one two", isFinal: true) == ["note served", "final one two"])
        _ = driver.audio(960)
        _ = driver.handle(.closed(why: "x"))
        #expect(driver.ready() == ["send 960"])
        #expect(driver.transcript("one two", isFinal: false) == ["partial one two"])
    }

    @Test func `so often as there are servers, then it fails, and the next utterance may move again`() {
        var driver = Driver()
        _ = driver.audio(960)
        #expect(driver.handle(.closed(why: "x")) == ["note failed", "connect"])
        _ = driver.ready()
        #expect(driver.handle(.closed(why: "x")) == ["note failed", "connect"])
        _ = driver.ready()
        #expect(driver.handle(.closed(why: "x")) == ["note failed", "failed unavailable"])
        #expect(driver.audio(960) == ["connect"])
        _ = driver.ready()
        #expect(driver.handle(.closed(why: "x")) == ["note failed", "connect"])
    }

    @Test func `with no server left the audio waits for one, up to the final's deadline`() {
        var driver = Driver()
        _ = driver.audio(960)
        _ = driver.handle(.closed(why: "x"))
        #expect(driver.handle(.alone(why: "none")) == [])
        _ = driver.handle(.finish(.lookahead))
        #expect(driver.machine.deadline == .milliseconds(250))
        #expect(driver.handle(.time, at: .milliseconds(250)) == ["connect"])
        #expect(driver.ready() == ["send 960", Self.reset])
        #expect(driver.transcript("Hello.", isFinal: true) == ["note served", "final Hello."])
    }

    @Test func `a stream opens on the first server that takes it`() {
        var machine = RemoteMachine(place: "ws://h:1", limits: .pool(of: 3))
        _ = machine.handle(.open, at: .zero)
        let refused = machine.handle(.refused(why: "503", retryAfter: .seconds(5)), at: .zero)
        guard case .note(.refused(.seconds(5)))? = refused.first, case .connect? = refused.last else {
            Issue.record("\(refused)")
            return
        }
        guard case .ready? = machine.handle(.message(#"{"type":"ready"}"#), at: .zero).first else {
            Issue.record("not open")
            return
        }
    }

    @Test func `a server that closes while nobody speaks has done nothing wrong`() {
        var driver = Driver()
        #expect(driver.handle(.closed(why: "1001")) == [])
        #expect(driver.audio(960) == ["connect"])
    }

    @Test func `half a minute of an utterance is kept`() {
        var driver = Driver()
        for _ in 0..<40 { _ = driver.audio(16_000) }
        _ = driver.handle(.closed(why: "x"))
        let sent = driver.ready()
        #expect(sent == Array(repeating: "send 16000", count: 30))
    }
}
