internal import NIOCore
internal import Testing
internal import VoiceCore

@testable internal import Redis

@Suite struct CommandPipelineTests {
    private typealias Pipeline = CommandPipeline<Int>

    private static let limits = Pipeline.Limits(
        command: .seconds(1),
        greeting: .seconds(2),
        commands: 4,
        bytes: 100
    )
    private let command = ByteBuffer(string: "PING\r\n")

    private func ready() -> Pipeline {
        var pipeline = Pipeline(limits: Self.limits)
        pipeline.greet(with: 1, at: .zero)
        _ = pipeline.receive(.text("PONG"))
        return pipeline
    }

    private func code(_ admission: Pipeline.Admission) -> VoiceError.Code? {
        if case .refuse(let error) = admission { error.code } else { nil }
    }

    @Test func `replies go to commands in their order`() {
        var pipeline = ready()
        for ticket in 1...3 {
            guard case .send = pipeline.submit(ticket, command, at: .zero) else { return #expect(Bool(false)) }
        }
        for ticket in 1...3 {
            guard case .complete(ticket, .number(ticket)) = pipeline.receive(.number(ticket)) else {
                return #expect(Bool(false))
            }
        }
        guard case .fail = pipeline.receive(.number(4)) else { return #expect(Bool(false)) }
    }

    @Test func `commands wait for the connection and go out when the server was greeted`() {
        var pipeline = Pipeline(limits: Self.limits)
        guard case .wait = pipeline.submit(1, command, at: .zero) else { return #expect(Bool(false)) }
        pipeline.greet(with: 2, at: .milliseconds(100))
        guard case .wait = pipeline.submit(2, command, at: .milliseconds(200)) else { return #expect(Bool(false)) }
        guard case .proceed = pipeline.receive(.text("OK")) else { return #expect(Bool(false)) }
        guard case .send(let commands) = pipeline.receive(.text("PONG")) else { return #expect(Bool(false)) }
        #expect(commands == [command, command])
        #expect(pipeline.phase == .ready)
        guard case .complete(1, .null) = pipeline.receive(.null) else { return #expect(Bool(false)) }
    }

    @Test func `a server that refuses the greeting is left, with its words`() {
        var pipeline = Pipeline(limits: Self.limits)
        pipeline.greet(with: 2, at: .zero)
        guard case .fail(let why) = pipeline.receive(.failure("WRONGPASS invalid username-password pair")) else {
            return #expect(Bool(false))
        }
        #expect(why.contains("WRONGPASS"))
    }

    @Test func `only so many commands and bytes wait, and a reply makes room`() {
        var pipeline = ready()
        #expect(code(pipeline.submit(0, ByteBuffer(repeating: 0x78, count: 101), at: .zero)) == .exhausted)
        for ticket in 1...4 { #expect(code(pipeline.submit(ticket, command, at: .zero)) == nil) }
        #expect(code(pipeline.submit(5, command, at: .zero)) == .exhausted)
        _ = pipeline.receive(.null)
        #expect(code(pipeline.submit(6, ByteBuffer(repeating: 0x78, count: 82), at: .zero)) == nil)
        _ = pipeline.receive(.null)
        #expect(code(pipeline.submit(7, ByteBuffer(repeating: 0x78, count: 7), at: .zero)) == .exhausted)
        #expect(code(pipeline.submit(7, command, at: .zero)) == nil)
    }

    @Test func `a command that is not answered in time breaks the connection, and all that wait fail`() {
        var pipeline = ready()
        _ = pipeline.submit(1, command, at: .milliseconds(100))
        _ = pipeline.submit(2, command, at: .milliseconds(600))
        #expect(pipeline.deadline == .milliseconds(1100))
        #expect(pipeline.expire(at: .milliseconds(1099)).failure == nil)
        #expect(pipeline.expire(at: .milliseconds(1100)).failure != nil)
        #expect(pipeline.end(why: "gone") == [1, 2])
        #expect(code(pipeline.submit(3, command, at: .seconds(2))) == .unavailable)
        #expect(pipeline.deadline == nil)
    }

    @Test func `a command that waits in vain for a connection fails alone`() {
        var pipeline = Pipeline(limits: Self.limits)
        _ = pipeline.submit(1, command, at: .zero)
        _ = pipeline.submit(2, command, at: .milliseconds(500))
        let (tickets, failure) = pipeline.expire(at: .seconds(1))
        #expect(tickets == [1] && failure == nil)
        #expect(pipeline.deadline == .milliseconds(1500))
    }

    @Test func `a greeting has its own time`() {
        var pipeline = Pipeline(limits: Self.limits)
        pipeline.greet(with: 1, at: .seconds(1))
        #expect(pipeline.deadline == .seconds(3))
        #expect(pipeline.expire(at: .milliseconds(2999)).failure == nil)
        #expect(pipeline.expire(at: .seconds(3)).failure != nil)
    }

    @Test func `after a failure nothing is left, and a new connection begins empty`() {
        var pipeline = ready()
        _ = pipeline.submit(1, command, at: .zero)
        #expect(pipeline.end(why: "gone") == [1])
        pipeline.begin()
        #expect(pipeline.end(why: "gone") == [])
        pipeline.begin()
        guard case .wait = pipeline.submit(2, command, at: .zero) else { return #expect(Bool(false)) }
        guard case .fail = pipeline.receive(.null) else { return #expect(Bool(false)) }
    }
}

@Suite struct RetryPauseTests {
    @Test func `pauses grow to a second and are never all of it for everybody`() {
        var pause = RetryPause(seed: 1)
        for span in [50, 100, 200, 400, 800, 1000, 1000] {
            let next = pause.next()
            #expect(next >= .milliseconds(span) / 2 && next <= .milliseconds(span))
        }
        pause.reset()
        #expect(pause.next() <= .milliseconds(50))
        var (first, second) = (RetryPause(seed: 2), RetryPause(seed: 3))
        #expect((0..<8).map { _ in first.next() } != (0..<8).map { _ in second.next() })
    }
}
