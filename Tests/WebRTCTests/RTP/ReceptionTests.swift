internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct ReceptionTests {
    static func packet(_ sequence: Int, timestamp: Int? = nil, source: UInt32 = 2) -> RTPPacket {
        RTPPacket(
            payloadType: 111,
            sequence: UInt16(truncatingIfNeeded: sequence),
            timestamp: UInt32(truncatingIfNeeded: timestamp ?? sequence * 960),
            source: source,
            payload: [0]
        )
    }

    static func heard(_ numbers: [Int]) -> Reception {
        var reception = Reception(first: UInt16(truncatingIfNeeded: numbers.first ?? 0), rate: .wideband)
        for number in numbers { reception.record(packet(number), at: .milliseconds(20 * number)) }
        return reception
    }

    @Test func `loss and wrapping are counted`() {
        var reception = Self.heard([65_533, 65_534, 65_536, 65_537, 65_540])
        #expect(reception.highestSequence == 65_540)
        #expect(reception.expected == 8 && reception.lost == 3)
        let report = reception.report(source: 2, at: .zero)
        #expect(report.fractionLost == 3 * 256 / 8)
        #expect(report.lost == 3 && report.highestSequence == 65_540 && report.lastSenderReport == 0)
        reception.record(Self.packet(65_541), at: .zero)
        #expect(reception.report(source: 2, at: .zero).fractionLost == 0)
    }

    @Test func `late packets are no loss, and duplicates make it negative`() {
        #expect(Self.heard([10, 12, 11]).lost == 0)
        var reception = Self.heard([10, 11, 11, 11])
        #expect(reception.lost == -2)
        let report = reception.report(source: 2, at: .zero)
        #expect(report.lost == -2 && report.fractionLost == 0)
    }

    @Test func `a stray number is no loss, two in a row are a new beginning`() {
        #expect(Self.heard([10, 11, 30_000, 12]).lost == 0)
        #expect(Self.heard([10, 11, 30_000, 40_000, 12]).highestSequence == 12)
        let reception = Self.heard([10, 11, 30_000, 30_001, 30_003])
        #expect(reception.highestSequence == 30_003)
        #expect(reception.received == 2 && reception.lost == 1)
    }

    @Test func `jitter is that of RFC 3550`() {
        var reception = Reception(first: 0, rate: .wideband)
        var expected = 0.0
        // 20 ms packets, every second one 5 ms late: each difference of transit is 240 units.
        for number in 0..<100 {
            reception.record(Self.packet(number), at: .milliseconds(20 * number + (number % 2) * 5))
            if number > 0 { expected += (240 - expected) / 16 }
        }
        #expect(abs(reception.jitter - expected) < 1e-3)
        #expect(abs(reception.jitterTime.milliseconds - expected / 48) < 1e-3)
        reception.record(Self.packet(100, timestamp: 0), isRegular: false, at: .seconds(100))
        #expect(abs(reception.jitter - expected) < 1e-3)
    }

    @Test func `steady packets have no jitter when the timestamp wraps`() {
        var reception = Reception(first: 0, rate: .wideband)
        for number in 0..<10 {
            let timestamp = Int(UInt32.max) - 2000 + number * 960
            reception.record(Self.packet(number, timestamp: timestamp), at: .milliseconds(20 * number))
        }
        #expect(reception.jitter < 1e-3)
    }

    @Test func `the delay since a sender report is told`() {
        var reception = Self.heard([1])
        reception.record(.init(time: NTPTime(.seconds(70_000)), timestamp: 0, packets: 0, octets: 0), at: .seconds(3))
        let report = reception.report(source: 2, at: .milliseconds(4500))
        #expect(report.lastSenderReport == UInt32((70_000 % 65_536) << 16))
        #expect(report.delay == 65_536 * 3 / 2)
    }
}
