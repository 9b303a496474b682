internal import NIOCore
internal import NIOWebSocket
internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct MessageMachineTests {
    private static let limits: WebSocketLimits = {
        var limits = WebSocketLimits()
        limits.idleTimeout = .seconds(300)
        limits.pingInterval = .seconds(20)
        return limits
    }()

    @Test func `whole messages are delivered`() {
        var machine = MessageMachine(limits: Self.limits, at: .zero)
        let text = clientFrame(.text, Array("hi".utf8))
        #expect(machine.receive(text, at: .zero) == .deliver(.text(ByteBuffer(string: "hi"))))
        #expect(machine.receive(clientFrame(.binary, [1], fin: false), at: .zero) == .perform(.none))
        #expect(machine.receive(clientFrame(.ping, [9]), at: .zero) == .perform(.pong(ByteBuffer(bytes: [9]))))
        let last = clientFrame(.continuation, [2])
        #expect(machine.receive(last, at: .zero) == .deliver(.binary(ByteBuffer(bytes: [1, 2]))))
    }

    @Test func `pongs keep a connection alive, but not from being idle`() {
        var machine = MessageMachine(limits: Self.limits, at: .zero)
        for seconds in stride(from: 20, to: 300, by: 20) {
            #expect(machine.tick(at: .seconds(seconds)) == .ping)
            #expect(machine.receive(clientFrame(.pong), at: .seconds(seconds)) == .perform(.none))
        }
        #expect(machine.tick(at: .seconds(300)) == .close(.idle(.seconds(300))))
        #expect(machine.tick(at: .seconds(301)) == .none)
    }

    @Test func `a message ends idleness`() {
        var machine = MessageMachine(limits: Self.limits, at: .zero)
        _ = machine.receive(clientFrame(.binary, [0]), at: .seconds(100))
        #expect(machine.tick(at: .seconds(399)) == .ping)
        #expect(machine.tick(at: .seconds(400)) == .close(.idle(.seconds(300))))
    }

    @Test func `while nothing is read silence means nothing`() {
        var machine = MessageMachine(limits: Self.limits, at: .zero)
        for seconds in 1...1_000 { #expect(machine.tick(at: .seconds(seconds), isReading: false) == .none) }
        #expect(machine.tick(at: .seconds(1_001)) == .ping)
        #expect(machine.tick(at: .seconds(1_021)) == .ping)
        #expect(machine.tick(at: .seconds(1_041)) == .disconnect(isDead: true))
    }

    @Test func `after a close nothing is delivered`() {
        var machine = MessageMachine(limits: Self.limits, at: .zero)
        #expect(machine.close(.ended) == .close(.ended))
        #expect(machine.close(.shuttingDown) == .none)
        #expect(machine.receive(clientFrame(.text, [65]), at: .zero) == .perform(.none))
        #expect(machine.receive(clientFrame(.connectionClose), at: .zero) == .perform(.disconnect(isDead: false)))
    }
}

@Suite struct MessageInboxTests {
    @Test func `messages come out in order, and room is told of once`() async throws {
        let inbox = MessageInbox(capacity: 1_000)
        for number in UInt8(0)..<10 {
            #expect(inbox.isFull == (number >= 7))
            // 100 bytes and what an empty message counts for.
            inbox.push(.binary(ByteBuffer(repeating: number, count: 100)), at: .seconds(Int(number)))
        }
        var rooms: [Bool] = []
        for number in UInt8(0)..<10 {
            let (arrival, hasRoomAgain) = try #require(await inbox.next())
            #expect(arrival.message == .binary(ByteBuffer(repeating: number, count: 100)))
            #expect(arrival.at == .seconds(Int(number)))
            rooms.append(hasRoomAgain)
        }
        #expect(rooms == [false, false, false, true, false, false, false, false, false, false])
    }

    @Test func `empty messages fill it too`() {
        let inbox = MessageInbox(capacity: 1_000)
        for _ in 0..<16 { inbox.push(.text(ByteBuffer()), at: .zero) }
        #expect(inbox.isFull)
    }

    @Test func `what came before the end is still read, and nothing after it`() async {
        let inbox = MessageInbox(capacity: 10)
        inbox.push(.text(ByteBuffer(string: "a")), at: .zero)
        inbox.finish()
        inbox.push(.text(ByteBuffer(string: "b")), at: .zero)
        #expect(await inbox.next()?.arrival.message == .text(ByteBuffer(string: "a")))
        #expect(await inbox.next() == nil)
    }

    @Test func `a waiting consumer gets the next message, a cancelled one nothing`() async {
        let inbox = MessageInbox(capacity: 10)
        await withTaskGroup { group in
            group.addTask { await inbox.next()?.arrival.message }
            group.addTask {
                inbox.push(.text(ByteBuffer(string: "a")), at: .zero)
                return nil
            }
            var messages: [MessageMachine.Message] = []
            for await message in group { if let message { messages.append(message) } }
            #expect(messages == [.text(ByteBuffer(string: "a"))])
        }
        await withTaskGroup { group in
            group.addTask { await inbox.next() == nil }
            group.cancelAll()
            for await isNothing in group { #expect(isNothing) }
        }
        inbox.push(.text(ByteBuffer(string: "b")), at: .zero)
        #expect(inbox.drain().isEmpty)
    }

    @Test func `a full inbox stops the reading`() async {
        let inbox = MessageInbox(capacity: 100)
        var limits = WebSocketLimits()
        limits.pingInterval = .seconds(1)
        let dialogue = MessageDialogue(inbox: inbox, limits: limits, describing: { _, _ in nil }, at: .zero)
        #expect(dialogue.isReading)
        _ = dialogue.receive(clientFrame(.binary, [UInt8](repeating: 0, count: 100)), at: .zero)
        #expect(!dialogue.isReading)
        #expect(dialogue.tick(at: .seconds(60)) == .none)
        #expect(await inbox.next()?.hasRoomAgain == true)
        #expect(dialogue.isReading)
    }
}

@Suite struct ProvisionalTests {
    @Test func `a newer provisional message takes the place of one that waits, others never go`() {
        var limits = WebSocketLimits()
        limits.bytesInFlight = 1
        var queue = OutboundQueue(limits: limits)
        func push(_ text: String, _ isProvisional: Bool) {
            let item = OutboundQueue.Item(
                opcode: .text,
                payload: ByteBuffer(string: text),
                isProvisional: isProvisional
            )
            #expect(queue.push(item, at: .zero) == .zero)
        }
        for text in ["a", "ab", "abc"] { push(text, true) }
        push("abc.", false)
        for text in ["d", "de"] { push(text, true) }
        push("x", false)
        var texts: [String] = []
        while let item = queue.pop() {
            texts.append(String(buffer: item.payload))
            queue.written(item.cost, at: .zero)
        }
        #expect(texts == ["abc", "abc.", "de", "x"])
    }

    @Test func `replacing does not use up room`() {
        var limits = WebSocketLimits()
        limits.eventBacklogBytes = 100
        var queue = OutboundQueue(limits: limits)
        for _ in 0..<1_000 {
            let item = OutboundQueue.Item(opcode: .text, payload: ByteBuffer(string: "partial"), isProvisional: true)
            #expect(queue.push(item, at: .zero) == .zero)
        }
    }
}
