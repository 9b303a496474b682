internal import NIOCore
internal import NIOEmbedded
internal import NIOWebSocket
internal import Testing
internal import VoiceCore

@testable internal import Transports

/// When the socket of a conversation is read in which nobody speaks.
@Suite struct WebSocketRestTests {
    /// Counts what is asked of the socket.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private(set) var count = 0
        func read(context: ChannelHandlerContext) { count += 1 }
    }

    private final class Dialogue: WebSocketDialogue {
        var isReading = true
        func receive(_ frame: WebSocketFrame, at now: Duration) -> WebSocketAction { .none }
        func receive(_ failure: NIOWebSocketError) -> WebSocketAction { .none }
        func tick(at now: Duration) -> WebSocketAction { .none }
        func close(_ reason: CloseReason) -> WebSocketAction { .close(reason) }
        func farewell(_ failure: VoiceError.Code, _ message: String) -> OutboundQueue.Item? { nil }
        func end() {}
    }

    private struct Stage {
        let channel = EmbeddedChannel()
        let counter = ReadCounter()
        let dialogue = Dialogue()
        let handler: WebSocketHandler<Dialogue>

        init() throws {
            let limits = WebSocketLimits()
            let shared = WebSocketShared(
                outbox: Outbox(limits: limits),
                counters: TransportCounters(),
                clock: ManualClock()
            )
            handler = WebSocketHandler(dialogue, shared: shared, limits: limits)
            try channel.pipeline.syncOperations.addHandlers([counter, handler])
        }

        /// Asks to read, as the channel does after each time that it has read.
        func ask() { channel.pipeline.read() }

        func pass(_ milliseconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .milliseconds(milliseconds)) }
    }

    @Test func `a connection that rests is read at moments that others share`() throws {
        let stage = try Stage()
        stage.pass(50)
        stage.ask()
        #expect(stage.counter.count == 1)
        stage.handler.rest(true)
        stage.ask()
        stage.pass(69)
        #expect(stage.counter.count == 1)
        stage.pass(1)
        #expect(stage.counter.count == 2, "120 ms")
        // It is not woken while nothing comes.
        stage.pass(10_000)
        #expect(stage.counter.count == 2)
        stage.ask()
        stage.pass(120)
        #expect(stage.counter.count == 3)
    }

    @Test func `the end of a rest reads at once`() throws {
        let stage = try Stage()
        stage.handler.rest(true)
        stage.ask()
        #expect(stage.counter.count == 0)
        stage.handler.rest(false)
        #expect(stage.counter.count == 1)
        stage.pass(1_000)
        #expect(stage.counter.count == 1)
        stage.ask()
        #expect(stage.counter.count == 2)
    }

    @Test func `a rest does not read for a dialogue that wants nothing`() throws {
        let stage = try Stage()
        stage.dialogue.isReading = false
        stage.handler.rest(true)
        stage.ask()
        stage.pass(1_000)
        #expect(stage.counter.count == 0)
        stage.dialogue.isReading = true
        stage.handler.rest(false)
        #expect(stage.counter.count == 1)
    }

    @Test func `a connection that closes rests no more`() throws {
        let stage = try Stage()
        stage.handler.rest(true)
        stage.ask()
        stage.handler.close(.shuttingDown)
        #expect(stage.counter.count == 1)
        stage.handler.rest(true)
        stage.ask()
        #expect(stage.counter.count == 2)
    }
}
