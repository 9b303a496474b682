internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

@Suite struct RemoteMachineTests {
    private static let hard = #"say {"type":"reset","finalize":true}"#
    private static let soft = #"say {"type":"reset","finalize":false}"#

    /// A machine with its actions as words.
    private struct Driver: ~Copyable {
        var machine: RemoteMachine
        var now = Duration.zero

        init(_ limits: RemoteLimits = RemoteLimits(), options: RecognitionOptions = RecognitionOptions()) {
            machine = RemoteMachine(place: "ws://h:1", options: options, limits: limits)
        }

        mutating func handle(_ event: RemoteMachine.Event, at now: Duration? = nil) -> [String] {
            self.now = now ?? self.now
            return machine.handle(event, at: self.now).compactMap(Self.word)
        }

        mutating func say(_ message: String, at now: Duration? = nil) -> [String] { handle(.message(message), at: now) }

        mutating func transcript(_ text: String, isFinal: Bool) -> [String] {
            say(#"{"type":"transcript","text":"\#(text)","is_final":\#(isFinal)}"#)
        }

        mutating func audio(_ count: Int) -> [String] { handle(.audio([Float](repeating: 0.5, count: count))) }

        /// Connected and ready.
        static func up(_ limits: RemoteLimits = RemoteLimits()) -> Driver {
            var driver = Driver(limits)
            _ = driver.handle(.open)
            _ = driver.say(#"{"type":"ready"}"#)
            return driver
        }

        private static func word(_ action: RemoteMachine.Action) -> String? {
            switch action {
            // What it says of servers matters where there are several: see the tests of pools.
            case .note, .leaveOut: nil
            case .connect: "connect"
            case .disconnect: "disconnect"
            case .say(let text): "say \(text)"
            case .send(let samples): "send \(samples.count)"
            case .ready: "ready"
            case .partial(let text, let isEndpoint): "\(isEndpoint ? "endpoint" : "partial") \(text)"
            case .final(let text): "final \(text)"
            case .failed(let error): "failed \(error.code)"
            }
        }
    }

    @Test func `a stream is open when the server is ready`() {
        var driver = Driver()
        #expect(driver.handle(.open) == ["connect"])
        #expect(driver.machine.deadline == .seconds(5))
        #expect(driver.say(#"{"type":"ready"}"#) == ["ready"])
        #expect(driver.machine.deadline == nil)
        #expect(driver.say(#"{"type":"ready"}"#) == [])
    }

    @Test func `a server that never gets ready is given up at the deadline`() {
        var driver = Driver()
        _ = driver.handle(.open)
        #expect(driver.handle(.time, at: .seconds(5)) == ["disconnect", "failed unavailable"])
    }

    @Test func `an utterance is audio, partials, a reset and a final`() {
        var driver = Driver.up()
        #expect(driver.audio(960) == ["send 960"])
        #expect(driver.transcript("good", isFinal: false) == ["partial good"])
        #expect(driver.transcript("good", isFinal: false) == [])
        #expect(driver.transcript("good morning ", isFinal: false) == ["partial good morning"])
        #expect(driver.handle(.finish(.lookahead)) == [Self.hard])
        #expect(driver.machine.deadline == .milliseconds(2060))
        #expect(driver.transcript("Good morning.", isFinal: true) == ["final Good morning."])
        #expect(driver.machine.deadline == nil)
    }

    @Test func `nothing fed is nothing understood, and the server is not asked`() {
        var driver = Driver.up()
        #expect(driver.handle(.finish(.lookahead)) == ["final "])
        #expect(driver.handle(.reset) == [])
        #expect(driver.handle(.audio([])) == [])
        #expect(driver.handle(.finish(.none)) == ["final "])
    }

    @Test func `after a soft reset the text before it is not said again`() {
        var driver = Driver.up()
        _ = driver.audio(960)
        #expect(driver.handle(.finish(.none)) == [Self.soft])
        #expect(driver.transcript("one two", isFinal: true) == ["final one two"])
        _ = driver.audio(960)
        #expect(driver.transcript("one two three", isFinal: false) == ["partial three"])
        #expect(driver.handle(.finish(.lookahead)) == [Self.hard])
        #expect(driver.transcript("one two three.", isFinal: true) == ["final three."])
        _ = driver.audio(960)
        #expect(driver.transcript("one two", isFinal: false) == ["partial one two"])
    }

    @Test func `the final of a dropped utterance is nobody's`() {
        var driver = Driver.up()
        _ = driver.audio(960)
        #expect(driver.handle(.reset) == [Self.hard])
        #expect(driver.handle(.reset) == [])
        #expect(driver.audio(960) == ["send 960"])
        #expect(driver.transcript("old", isFinal: false) == [])
        #expect(driver.handle(.finish(.lookahead)) == [Self.hard])
        #expect(driver.transcript("old", isFinal: true) == [])
        #expect(driver.transcript("new", isFinal: true) == ["final new"])
    }

    @Test func `a final nobody waits for any more is nobody's either`() {
        for flush in [RecognitionFlush.lookahead, .none] {
            var driver = Driver.up()
            _ = driver.audio(960)
            _ = driver.handle(.finish(flush))
            // A soft reset leaves its text with the server, which a hard one clears.
            #expect(driver.handle(.abandon) == (flush == .none ? [Self.hard] : []))
            _ = driver.audio(960)
            _ = driver.handle(.finish(.lookahead))
            if flush == .none { #expect(driver.transcript("old", isFinal: true) == []) }
            #expect(driver.transcript("old", isFinal: true) == [])
            #expect(driver.transcript("new", isFinal: true) == ["final new"])
        }
    }

    @Test func `a server that answers no reset is left`() {
        var limits = RemoteLimits()
        limits.unwanted = 2
        var driver = Driver.up(limits)
        for _ in 0..<2 {
            _ = driver.audio(960)
            #expect(driver.handle(.reset) == [Self.hard])
        }
        _ = driver.audio(960)
        #expect(driver.handle(.reset) == ["disconnect"])
        #expect(driver.audio(960) == ["connect"])
    }

    @Test func `a final has a deadline, after which the next utterance connects anew`() {
        var driver = Driver.up()
        _ = driver.audio(1600)
        _ = driver.handle(.finish(.lookahead))
        #expect(driver.handle(.time, at: .milliseconds(2099)) == [])
        #expect(driver.handle(.time, at: .milliseconds(2100)) == ["disconnect", "failed unavailable"])
        #expect(driver.audio(800) == ["connect"])
        #expect(driver.say(#"{"type":"ready"}"#) == ["send 800"])
    }

    @Test func `audio sent faster than spoken gives the server as long as it lasts`() {
        var driver = Driver.up()
        for _ in 0..<5 { #expect(driver.audio(16_000) == ["send 16000"]) }
        _ = driver.handle(.finish(.lookahead))
        #expect(driver.machine.deadline == .seconds(7))
    }

    @Test func `a final waits for the audio that a slow line still holds`() {
        var driver = Driver.up()
        _ = driver.audio(16_000)
        _ = driver.handle(.writable(false))
        _ = driver.audio(32_000)
        #expect(driver.handle(.finish(.lookahead)) == [])
        #expect(driver.machine.deadline == .seconds(5))
        #expect(driver.handle(.writable(true), at: .seconds(4)) == ["send 16000", "send 16000", Self.hard])
        #expect(driver.machine.deadline == .seconds(8))
    }

    @Test func `a connection lost in an utterance fails it once, and the next utterance connects`() {
        var driver = Driver.up()
        _ = driver.audio(960)
        #expect(driver.handle(.closed(why: "x")) == ["failed unavailable"])
        #expect(driver.handle(.finish(.lookahead)) == ["final "])
        #expect(driver.audio(960) == ["connect"])
        #expect(driver.audio(960) == [])
        #expect(driver.say(#"{"type":"ready"}"#) == ["send 1920"])
    }

    @Test func `a connection lost between utterances is nobody's trouble`() {
        var driver = Driver.up()
        #expect(driver.handle(.closed(why: "x")) == [])
        #expect(driver.audio(960) == ["connect"])
        #expect(driver.handle(.finish(.lookahead)) == [])
        #expect(driver.say(#"{"type":"ready"}"#) == ["send 960", Self.hard])
        #expect(driver.transcript("hello", isFinal: true) == ["final hello"])
    }

    @Test func `attempts to connect have growing pauses`() {
        var driver = Driver.up()
        _ = driver.handle(.closed(why: "x"))
        #expect(driver.audio(160) == ["connect"])
        var pause = 250
        for _ in 0..<5 {
            #expect(driver.handle(.closed(why: "refused")) == [])
            driver.now += .milliseconds(pause - 1)
            #expect(driver.audio(160) == [])
            driver.now += .milliseconds(1)
            #expect(driver.audio(160) == ["connect"])
            pause *= 2
        }
        _ = driver.handle(.closed(why: "refused"))
        driver.now += .seconds(7)
        #expect(driver.audio(160) == [])
        #expect(driver.handle(.finish(.lookahead)) == [])
        #expect(driver.handle(.time, at: driver.now + .seconds(1)) == ["connect"])
        _ = driver.handle(.closed(why: "refused"))
        #expect(driver.handle(.finish(.lookahead)) == ["final "])
    }

    @Test func `a final that no connection can come in time for fails at once`() {
        var driver = Driver.up()
        _ = driver.handle(.closed(why: "x"))
        _ = driver.audio(160)
        for _ in 0..<6 {
            _ = driver.handle(.closed(why: "refused"))
            driver.now += .seconds(8)
            _ = driver.audio(160)
        }
        _ = driver.handle(.finish(.lookahead))
        #expect(driver.handle(.closed(why: "refused")) == ["failed unavailable"])
        _ = driver.audio(160)
        #expect(driver.handle(.finish(.lookahead)) == ["failed unavailable"])
    }

    @Test func `audio that the server does not take is kept up to a bound, then the oldest goes`() {
        var limits = RemoteLimits()
        limits.queue = 1_000
        var driver = Driver.up(limits)
        #expect(driver.handle(.writable(false)) == [])
        #expect(driver.audio(400) == [])
        #expect(driver.machine.isCongested == false)
        #expect(driver.audio(600) == [])
        #expect(driver.machine.isCongested == true)
        #expect(driver.machine.dropped == 0)
        #expect(driver.audio(300) == [])
        #expect(driver.machine.dropped == 300)
        #expect(driver.handle(.finish(.lookahead)) == [])
        #expect(driver.handle(.writable(true)) == ["send 1000", Self.hard])
    }

    @Test func `long audio goes in messages of a second`() {
        var driver = Driver()
        _ = driver.handle(.open)
        _ = driver.audio(40_000)
        #expect(driver.say(#"{"type":"ready"}"#) == ["ready", "send 16000", "send 16000", "send 8000"])
    }

    @Test(arguments: [
        "", "hello", "[1,2]", #"{"no":"type"}"#, #"{"type":7}"#, #"{"type":"transcript"}"#,
        #"{"type":"transcript","text":[]}"#, "\u{0}\u{FFFD}",
    ])
    func `garbage ends the connection and fails the utterance`(message: String) {
        var driver = Driver.up()
        _ = driver.audio(160)
        #expect(driver.say(message) == ["disconnect", "failed malformedInput"])
        #expect(driver.audio(160) == ["connect"])
    }

    @Test func `options are told to the server on every connection, and audio waits for its consent`() {
        var driver = Driver(
            options: RecognitionOptions(
                lookahead: 1,
                language: "de-DE",
                phrases: ["Repartee"],
                phraseBoost: 2,
                endpointSilence: .milliseconds(640)
            )
        )
        let config =
            #"say {"endpoint_silence_ms":640,"language":"de-DE","lookahead":1,"phrase_boost":2,"phrases":["Repartee"],"#
            + #""type":"config"}"#
        _ = driver.handle(.open)
        #expect(driver.say(#"{"type":"ready"}"#) == [config])
        #expect(driver.machine.deadline == .seconds(2))
        #expect(driver.audio(160) == [])
        #expect(driver.say(#"{"type":"configured","lookahead":1}"#) == ["ready", "send 160"])
        _ = driver.transcript("ja", isFinal: false)
        #expect(driver.say(#"{"type":"endpoint"}"#) == ["endpoint ja"])
        _ = driver.handle(.closed(why: "x"))
        #expect(driver.audio(160) == ["connect"])
        #expect(driver.say(#"{"type":"ready"}"#) == [config])
        #expect(driver.say(#"{"type":"configured"}"#) == ["send 160"])
    }

    @Test func `a server that refuses the options, or says nothing to them, is no use`() {
        var driver = Driver(options: RecognitionOptions(lookahead: 5))
        _ = driver.handle(.open)
        _ = driver.say(#"{"type":"ready"}"#)
        #expect(driver.say(#"{"type":"error","message":"no lookahead 5"}"#) == ["disconnect", "failed usage"])
        driver = Driver(options: RecognitionOptions(lookahead: 5))
        _ = driver.handle(.open)
        _ = driver.say(#"{"type":"ready"}"#)
        #expect(driver.handle(.time, at: .seconds(2)) == ["disconnect", "failed usage"])
    }

    @Test func `messages of later versions are passed over`() {
        var driver = Driver.up()
        _ = driver.audio(160)
        #expect(driver.say(#"{"type":"emotion","value":"calm"}"#) == [])
        #expect(driver.transcript("yes", isFinal: false) == ["partial yes"])
        #expect(driver.transcript("a final nobody asked for", isFinal: true) == [])
    }

    @Test func `what the server reports is told`() {
        var driver = Driver.up()
        _ = driver.audio(160)
        let actions = driver.machine.handle(.message(#"{"type":"error","message":"CUDA out of memory"}"#), at: .zero)
        guard case .failed(let error)? = actions.last else {
            Issue.record("nothing failed")
            return
        }
        #expect(error.message == "the speech server ws://h:1 reports: CUDA out of memory")
        #expect(error.code == .unavailable)
    }
}
