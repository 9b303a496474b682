internal import NIOCore
internal import NIOWebSocket
internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct InboundQueueTests {
    @Test func `events leave in the order they came`() {
        var queue = InboundQueue(limits: WebSocketLimits())
        let events: [TransportEvent] = [.text("a"), audio(0), .interrupt, audio(320), .text("b")]
        for event in events { #expect(queue.push(event) == .zero) }
        for event in events { #expect(queue.pop() == event) }
        #expect(queue.pop() == nil)
    }

    @Test func `more than two seconds of audio push out the oldest, and only audio`() {
        var queue = InboundQueue(limits: WebSocketLimits())
        _ = queue.push(.text("first"))
        for index in 0..<100 { #expect(queue.push(audio(index * 320)) == .zero) }
        #expect(queue.push(audio(32_000)) == .milliseconds(20))
        #expect(queue.push(audio(32_320)) == .milliseconds(20))
        #expect(queue.pop() == .text("first"))
        #expect(queue.pop() == audio(640))
    }

    @Test func `a flood of tiny audio messages is bounded by their number`() {
        var queue = InboundQueue(limits: WebSocketLimits())
        for index in 0..<5_000 {
            _ = queue.push(.audio(AudioFrame(samples: [0], rate: .wideband, position: index)))
        }
        var count = 0
        while queue.pop() != nil { count += 1 }
        #expect(count == 1_024)
    }

    @Test func `reports on playout replace each other, other messages are refused beyond the bound`() {
        var queue = InboundQueue(limits: WebSocketLimits())
        for samples in 0..<1_000 { #expect(queue.push(.played(epoch: 1, samples: samples)) == .zero) }
        #expect(queue.pop() == .played(epoch: 1, samples: 999))
        #expect(queue.pop() == nil)
        for _ in 0..<256 { #expect(queue.push(.interrupt) == .zero) }
        #expect(queue.push(.interrupt) == nil)
        #expect(queue.push(audio(0)) == .zero)
    }

    @Test func `a queue used for a long time stays in order`() {
        var queue = FIFO<Int>()
        var (pushed, popped) = (0, 0)
        for step in 0..<10_000 {
            queue.append(pushed)
            pushed += 1
            if step % 3 != 0 {
                #expect(queue.removeFirst() == popped)
                popped += 1
            }
        }
        #expect(queue.count == pushed - popped)
        #expect(queue.last == pushed - 1)
    }

    private func audio(_ position: Int) -> TransportEvent {
        .audio(AudioFrame(samples: [Float](repeating: 0, count: 320), rate: .speech, position: position))
    }
}

@Suite struct OutboundQueueTests {
    @Test func `only as much is handed on as the socket may hold`() {
        var limits = WebSocketLimits()
        limits.bytesInFlight = 1_000
        var queue = OutboundQueue(limits: limits)
        for epoch in 1...3 { #expect(queue.push(audio(epoch: epoch, bytes: 990), at: .zero) == .zero) }
        #expect(queue.pop()?.audio?.epoch == 1)
        #expect(queue.pop() == nil)
        queue.written(1_000, at: .zero)
        #expect(queue.pop()?.audio?.epoch == 2)
    }

    @Test func `cut forgets the audio of its reply and of earlier ones, waiting or still to come`() {
        var queue = OutboundQueue(limits: WebSocketLimits())
        for epoch in [1, 2, 3] { _ = queue.push(audio(epoch: epoch), at: .zero) }
        _ = queue.push(text("news"), at: .zero)
        queue.cut(epoch: 2)
        _ = queue.push(audio(epoch: 1), at: .zero)
        queue.cut(epoch: 1)
        _ = queue.push(audio(epoch: 2), at: .zero)
        #expect(queue.pop()?.audio?.epoch == 3)
        #expect(queue.pop() == text("news"))
        #expect(queue.pop() == nil)
    }

    @Test func `cut and pause say how much waited, and what comes with audio goes with it`() {
        var queue = OutboundQueue(limits: WebSocketLimits())
        for epoch in [1, 1, 2] { _ = queue.push(audio(epoch: epoch), at: .zero) }
        var behind = text("behind")
        behind.audio = .init(epoch: 2, duration: .zero)
        _ = queue.push(behind, at: .zero)
        let each = audio(epoch: 1).audio?.duration ?? .zero
        #expect(queue.pause(epoch: 1) == each * 2)
        #expect(queue.cut(epoch: 2) == each)
        #expect(queue.cut(epoch: 2) == .zero)
        #expect(queue.pop() == nil)
    }

    @Test func `a sender waits while half a second of audio does`() async {
        var limits = WebSocketLimits()
        limits.playoutRoom = .milliseconds(30)
        for end in 0..<4 {
            let outbox = Outbox(limits: limits)
            await outbox.waitForRoom()
            for _ in 0..<2 { _ = outbox.push(audio(epoch: 1), at: .zero) }
            await withTaskGroup { group in
                group.addTask { await outbox.waitForRoom() }
                switch end {
                case 0: group.cancelAll()
                case 1: outbox.cut(epoch: 1)
                case 2: while outbox.pop() != nil {}
                default: outbox.close(with: [], at: .zero)
                }
            }
        }
    }

    @Test func `pause forgets what waits of its reply, and lets more of it come`() {
        var queue = OutboundQueue(limits: WebSocketLimits())
        for epoch in [2, 2, 3] { _ = queue.push(audio(epoch: epoch), at: .zero) }
        queue.pause(epoch: 2)
        _ = queue.push(audio(epoch: 2), at: .zero)
        #expect(queue.pop()?.audio?.epoch == 3)
        #expect(queue.pop()?.audio?.epoch == 2)
        #expect(queue.pop() == nil)
    }

    @Test func `audio beyond two seconds pushes out the oldest, never the news`() {
        var queue = OutboundQueue(limits: WebSocketLimits())
        _ = queue.push(text("news"), at: .zero)
        for epoch in 1...100 { #expect(queue.push(audio(epoch: epoch), at: .zero) == .zero) }
        #expect(queue.push(audio(epoch: 101), at: .zero) == .milliseconds(20))
        #expect(queue.pop() == text("news"))
        #expect(queue.pop()?.audio?.epoch == 2)
    }

    @Test func `one piece of audio longer than the bound is kept until the next comes`() {
        var queue = OutboundQueue(limits: WebSocketLimits())
        #expect(queue.push(audio(epoch: 1, lasting: .seconds(3)), at: .zero) == .zero)
        #expect(queue.push(audio(epoch: 2, lasting: .seconds(3)), at: .zero) == .seconds(3))
        #expect(queue.pop()?.audio?.epoch == 2)
        #expect(queue.pop() == nil)
    }

    @Test func `news beyond a mebibyte is refused`() {
        var queue = OutboundQueue(limits: WebSocketLimits())
        let news = text(String(repeating: "n", count: 100_000))
        for _ in 0..<10 { #expect(queue.push(news, at: .zero) == .zero) }
        #expect(queue.push(news, at: .zero) == nil)
    }

    @Test func `a peer that takes nothing for five seconds is stuck`() {
        var queue = OutboundQueue(limits: WebSocketLimits())
        #expect(!queue.isStalled(at: .seconds(100)))
        _ = queue.push(text("one"), at: .seconds(100))
        _ = queue.push(text("two"), at: .seconds(102))
        let cost = queue.pop()?.cost ?? 0
        #expect(!queue.isStalled(at: .milliseconds(104_999)))
        #expect(queue.isStalled(at: .seconds(105)))
        queue.written(cost, at: .seconds(105))
        #expect(!queue.isStalled(at: .seconds(109)))
        #expect(queue.isStalled(at: .seconds(110)))
    }

    @Test func `the last words follow the news that waits, without the audio`() {
        var queue = OutboundQueue(limits: WebSocketLimits())
        _ = queue.push(text("news"), at: .zero)
        _ = queue.push(audio(epoch: 1), at: .zero)
        queue.finish(with: [text("error"), .init(opcode: .connectionClose, payload: ByteBuffer())], at: .zero)
        #expect(queue.pop() == text("news"))
        #expect(queue.pop() == text("error"))
        #expect(queue.pop()?.opcode == .connectionClose)
    }

    private func audio(
        epoch: Int,
        bytes: Int = 12,
        lasting duration: Duration = .milliseconds(20)
    ) -> OutboundQueue.Item {
        let audio = OutboundQueue.Audio(epoch: epoch, duration: duration)
        return .init(opcode: .binary, payload: ByteBuffer(repeating: 0, count: bytes), audio: audio)
    }

    private func text(_ string: String) -> OutboundQueue.Item {
        .init(opcode: .text, payload: ByteBuffer(string: string))
    }
}

@Suite struct InboxTests {
    @Test func `the stream ends after what had arrived`() async {
        let inbox = Inbox(limits: WebSocketLimits())
        #expect(inbox.push(.text("a")) == .zero)
        inbox.finish()
        #expect(inbox.push(.text("late")) == .zero)
        let stream = AsyncStream {
            await inbox.next()
        } onCancel: {
            inbox.abandon()
        }
        var events: [TransportEvent] = []
        for await event in stream { events.append(event) }
        #expect(events == [.text("a")])
    }

    @Test func `a waiting consumer gets the event, and leaves when it is cancelled`() async {
        let inbox = Inbox(limits: WebSocketLimits())
        let stream = AsyncStream {
            await inbox.next()
        } onCancel: {
            inbox.abandon()
        }
        let (received, continuation) = AsyncStream.makeStream(of: TransportEvent.self)
        await withTaskGroup { group in
            group.addTask {
                for await event in stream { continuation.yield(event) }
                continuation.finish()
            }
            _ = inbox.push(.interrupt)
            var iterator = received.makeAsyncIterator()
            #expect(await iterator.next() == .interrupt)
            group.cancelAll()
            #expect(await iterator.next() == nil)
        }
    }
}
