internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct RTPSessionTests {
    static func session(seed: UInt64 = 1) -> RTPSession {
        var random = SplitMix64(seed: seed)
        return RTPSession(rate: .wideband, name: "us", random: &random)
    }

    @Test func `packets are numbered, and their time moves with the media`() {
        var session = Self.session()
        let packets = [0, 960, 1920, 9600].map { timestamp in
            session.send([1], type: 111, timestamp: UInt32(timestamp), marker: timestamp == 0, at: .zero)
        }
        let first = packets[0]
        #expect(packets.map { $0.sequence &- first.sequence } == [0, 1, 2, 3])
        #expect(packets.map { $0.timestamp &- first.timestamp } == [0, 960, 1920, 9600])
        #expect(packets.map(\.marker) == [true, false, false, false])
        #expect(packets.allSatisfy { $0.source == session.source && $0.payloadType == 111 })
        #expect(Self.session(seed: 2).source != session.source)
    }

    @Test func `reports come every second at first, every few seconds later`() {
        var session = Self.session()
        var times: [Duration] = []
        for _ in 0..<30 {
            times.append(session.nextReport)
            _ = session.report(at: session.nextReport)
        }
        #expect(Array(times.prefix(5)) == (1...5).map { Duration.seconds($0) })
        let gaps = zip(times.dropFirst(5), times.dropFirst(4)).map { $0 - $1 }
        #expect(gaps.allSatisfy { $0 >= .milliseconds(2500) && $0 <= .milliseconds(7500) })
        #expect(Set(gaps).count > 10)
    }

    @Test func `the round trip is measured by two ends that share no clock`() throws {
        var (us, them) = (Self.session(seed: 1), Self.session(seed: 2))
        // Their clock is 40,000 s ahead; 30 ms there, 50 ms back, 700 ms thinking.
        let ahead = Duration.seconds(40_000)
        them.receive(us.send([1], type: 111, timestamp: 0, marker: true, at: .seconds(1)), isRegular: true, at: ahead)
        let ours = try #require(RTCPPacket.parse(us.report(at: .seconds(2))))
        them.receive(ours, at: ahead + .milliseconds(2030))
        let theirs = try #require(RTCPPacket.parse(them.report(at: ahead + .milliseconds(2730))))
        us.receive(theirs, at: .milliseconds(2780))
        let roundTrip = try #require(us.statistics.roundTrip)
        #expect(abs(roundTrip.milliseconds - 80) < 0.1)
        #expect(us.statistics.remoteLost == 0 && us.statistics.remoteFractionLost == 0 && us.statistics.sent == 1)
    }

    @Test func `a report has a report first and our name`() throws {
        var session = Self.session()
        guard case .receiverReport(session.source, [])? = RTCPPacket.parse(session.report(at: .seconds(1)))?.first
        else { return #expect(Bool(false)) }
        _ = session.send([1, 2], type: 111, timestamp: 0, marker: true, at: .seconds(2))
        session.receive(ReceptionTests.packet(5), isRegular: true, at: .seconds(2))
        let packets = try #require(RTCPPacket.parse(session.report(at: .seconds(3))))
        guard case .senderReport(session.source, let report, let blocks)? = packets.first, packets.count == 2
        else { return #expect(Bool(false), "\(packets)") }
        #expect(report.packets == 1 && report.octets == 2 && report.time == NTPTime(.seconds(3)))
        #expect(blocks.map(\.source) == [2])
        #expect(packets[1] == .sourceDescription([.init(source: session.source, name: "us")]))
        // Silence since then: nothing to report on.
        guard case .senderReport(_, _, [])? = RTCPPacket.parse(session.report(at: .seconds(4)))?.first
        else { return #expect(Bool(false)) }
        guard case .goodbye([session.source])? = RTCPPacket.parse(session.goodbye(at: .seconds(5)))?.last
        else { return #expect(Bool(false)) }
    }

    @Test func `the report's timestamp is that of now`() throws {
        var session = Self.session()
        let packet = session.send([1], type: 111, timestamp: 0, marker: true, at: .seconds(2))
        guard case .senderReport(_, let report, _)? = RTCPPacket.parse(session.report(at: .milliseconds(2500)))?.first
        else { return #expect(Bool(false)) }
        #expect(report.timestamp &- packet.timestamp == 24_000)
    }

    @Test func `streams that are remembered are bounded`() {
        var session = Self.session()
        for source in 1...UInt32(100) {
            let now = Duration.milliseconds(Int(source))
            session.receive(ReceptionTests.packet(1, source: source), isRegular: true, at: now)
        }
        guard case .receiverReport(_, let blocks)? = RTCPPacket.parse(session.report(at: .seconds(1)))?.first
        else { return #expect(Bool(false)) }
        #expect(blocks.map(\.source) == Array(93...100))
    }

    @Test func `requests to repeat are counted and nothing else`() {
        var session = Self.session()
        session.receive(
            [
                .negativeAcknowledgement(media: session.source, [1]), .pictureLossIndication(media: 1), .other(207),
                .goodbye([2]),
            ],
            at: .zero
        )
        #expect(session.statistics.repeatRequests == 2)
    }
}
