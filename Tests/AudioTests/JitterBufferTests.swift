internal import Foundation
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Audio

/// How bad a network is for speech, and what may become of it.
struct SpeechWeather: Sendable, CustomTestStringConvertible {
    var jitter: Int
    var loss: Double

    var testDescription: String { "jitter \(jitter) ms loss \(loss)" }

    static let all: [SpeechWeather] = [0, 30, 80].flatMap { jitter in
        [0, 0.02, 0.05, 0.1].map { SpeechWeather(jitter: jitter, loss: $0) }
    }
}

/// Speech through a network and a jitter buffer, in simulated time.
private struct Call {
    static let rate = SampleRate.speech

    var buffer: JitterBuffer.Statistics
    var delays: [Duration]
    var sound: [Float]

    /// Twenty seconds of something like a voice, as packets of 20 ms with what was in the one before.
    static let packets: [[UInt8]] = {
        var settings = OpusEncoder.Settings()
        settings.expectedLoss = 0.1
        settings.bitRate = 24_000
        guard var encoder = try? OpusEncoder(rate: rate, settings: settings) else { return [] }
        let voice = OpusTests.voice(rate, seconds: 20)
        return stride(from: 0, to: voice.count, by: 320).compactMap {
            try? encoder.encode(Array(voice[$0..<($0 + 320)]))
        }
    }()
}

extension JitterBuffer { fileprivate typealias Statistics = JitterStatistics }

@Suite struct JitterBufferTests {
    /// Sends packets every 20 ms of a clock that may be a little fast, and plays as fast as they come.
    private func call(
        _ packets: [[UInt8]] = Call.packets,
        jitter: Int = 0,
        loss: Double = 0,
        reordering: Double = 0,
        duplication: Double = 0,
        fast: Double = 1,
        sequence: UInt16 = 1,
        timestamp: UInt32 = 0,
        configuration: JitterBuffer.Configuration = .init(),
        seed: UInt64 = 1
    ) throws -> Call {
        var conditions = LossyNetwork<JitterBuffer.Packet>.Conditions()
        conditions.jitter = .milliseconds(jitter)
        conditions.loss = loss
        conditions.reordering = reordering
        conditions.duplication = duplication
        var network = LossyNetwork<JitterBuffer.Packet>(conditions, seed: seed)
        var buffer = try JitterBuffer(rate: Call.rate, configuration: configuration)
        var call = Call(buffer: JitterStatistics(), delays: [], sound: [])
        var sent = 0
        var now = Duration.zero
        while call.sound.count < packets.count * 320 {
            while sent < packets.count, .milliseconds(20) * sent / fast <= now {
                let packet = JitterBuffer.Packet(
                    sequence: sequence &+ UInt16(truncatingIfNeeded: sent),
                    timestamp: timestamp &+ UInt32(truncatingIfNeeded: 960 * sent),
                    payload: packets[sent]
                )
                network.send(packet, from: .left, at: .milliseconds(20) * sent / fast)
                sent += 1
            }
            while let arrival = network.nextArrival, arrival <= now {
                for arrived in network.arrivals(at: arrival) { buffer.insert(arrived.datagram, at: arrival) }
            }
            if let delay = buffer.delay(at: now) { call.delays.append(delay) }
            call.sound += buffer.next(at: now).samples
            now += .milliseconds(20)
        }
        call.buffer = buffer.statistics
        return call
    }

    @Test func `on a perfect network what comes out is what the decoder makes, 40 ms after arrival`() throws {
        let call = try call()
        var decoder = try OpusDecoder(rate: Call.rate)
        var plain: [Float] = []
        for packet in Call.packets { plain += try decoder.decode(packet) }
        // 20 ms of network and 40 of waiting, of which the clock of playing rounds up to a frame.
        let start = try #require(call.sound.firstIndex { $0 != 0 })
        let first = try #require(plain.firstIndex { $0 != 0 })
        let lag = start - first
        #expect((960...1280).contains(lag))
        // Later the delay adapts to the least, in a silence; until then nothing is changed.
        #expect(Array(call.sound[lag..<(lag + 4_000)]) == Array(plain[..<4_000]))
        #expect(call.buffer.concealed == 0 && call.buffer.late == 0 && call.buffer.underruns == 0)
        #expect(try #require(call.delays.last) <= .milliseconds(30))
    }

    @Test(arguments: SpeechWeather.all) func `delay and what is made up stay within bounds`(
        weather: SpeechWeather
    ) throws {
        var played = 0
        var concealed = 0
        var underruns = 0
        var delay = Duration.zero
        var frames = 0
        for seed in 1...4 as ClosedRange<UInt64> {
            let call = try call(jitter: weather.jitter, loss: weather.loss, seed: seed)
            played += call.buffer.played
            concealed += call.buffer.concealed
            underruns += call.buffer.underruns
            delay += call.delays.reduce(.zero, +)
            frames += call.delays.count
            #expect(call.buffer.restarts == 0)
        }
        let share = Double(concealed) / Double(played)
        let mean = (delay / frames).milliseconds
        // A part of what is lost is recovered: where the packet behind is there in time. Measured: 0.32 to 0.62 of the loss is made up,
        // plus 0.1 %; delays of 30, 45 and 76 ms; an underrun where a packet is lost and the one behind is not there yet.
        let measured = [0: 30.0, 30: 45, 80: 76]
        #expect(share <= weather.loss * 0.7 + 0.003, "\(share * 100) % were made up")
        #expect(mean <= (measured[weather.jitter] ?? 0) + 5, "a delay of \(mean) ms")
        #expect(Double(underruns) <= Double(frames) * (weather.loss * 0.7 + 0.002), "\(underruns) underruns")
    }

    @Test func `packets out of order and twice are played in order and once`() throws {
        let call = try call(jitter: 5, reordering: 0.1, duplication: 0.1, seed: 3)
        #expect(call.buffer.duplicates > 50)
        #expect(call.buffer.concealedShare < 0.02)
        #expect(call.delays.allSatisfy { $0 < .milliseconds(130) })
    }

    @Test(arguments: [0.9995, 1.0005]) func `a clock that drifts is followed`(fast: Double) throws {
        // Three minutes, in which the clocks part by 90 ms.
        let packets = (0..<9).flatMap { _ in Call.packets }
        let call = try call(packets, jitter: 10, fast: fast)
        #expect(call.buffer.restarts == 0)
        #expect(call.delays.suffix(1_000).allSatisfy { $0 < .milliseconds(90) && $0 > .zero })
        let changed = fast > 1 ? call.buffer.shortened : call.buffer.lengthened
        #expect(changed > 48 * 30)
        #expect(call.buffer.concealedShare < 0.01)
    }

    @Test(arguments: [10, 20], [10, 20]) func `packets and frames of any length fit together`(
        packet: Int,
        frame: Int
    ) throws {
        let rate = SampleRate.wideband
        var encoder = try OpusEncoder(rate: rate, frame: .milliseconds(Int64(packet)))
        let voice = OpusTests.voice(rate, seconds: 4)
        var configuration = JitterBuffer.Configuration()
        configuration.frame = .milliseconds(Int64(frame))
        var buffer = try JitterBuffer(rate: rate, configuration: configuration)
        var loud = 0
        for tick in 0..<400 {
            let now = Duration.milliseconds(10 * tick)
            if 10 * tick % packet == 0 {
                let payload = try encoder.encode(Array(voice[(480 * tick)..<(480 * tick + encoder.frameLength)]))
                let number = 10 * tick / packet
                buffer.insert(.init(sequence: UInt16(number), timestamp: UInt32(480 * tick), payload: payload), at: now)
            }
            guard 10 * tick % frame == 0 else { continue }
            let out = buffer.next(at: now)
            #expect(out.samples.count == 48 * frame && out.position == 480 * tick)
            if out.samples.contains(where: { abs($0) > 0.05 }) { loud += frame }
        }
        #expect(buffer.statistics.concealed == 0 && buffer.statistics.underruns == 0)
        // The voice sounds 380 ms in 500.
        #expect((2_800...3_300).contains(loud))
    }

    @Test func `numbers and timestamps may wrap`() throws {
        let plain = try call(jitter: 20, loss: 0.02, seed: 5)
        let wrapped = try call(jitter: 20, loss: 0.02, sequence: 65_500, timestamp: 0 &- 200_000, seed: 5)
        #expect(plain.buffer == wrapped.buffer)
        #expect(plain.sound == wrapped.sound)
    }

    @Test func `a lost packet is recovered from the one behind`() throws {
        var buffer = try JitterBuffer(rate: Call.rate)
        var played: [Float] = []
        for tick in 0..<50 {
            if tick % 10 != 7 {
                buffer.insert(
                    .init(sequence: UInt16(tick), timestamp: UInt32(960 * tick), payload: Call.packets[tick]),
                    at: .milliseconds(20 * tick)
                )
            }
            played += buffer.next(at: .milliseconds(20 * tick)).samples
        }
        let lost = 4
        #expect(buffer.statistics.recovered >= lost - 1)
        #expect(buffer.statistics.concealed <= 960)
    }

    @Test func `a pause of the sender is no loss, and does not add delay`() throws {
        var buffer = try JitterBuffer(rate: Call.rate)
        var number = 0
        var now = Duration.zero
        for tick in 0..<600 {
            // Speaks for two seconds, sends nothing for one and a half, or five.
            let isSpeaking = tick < 100 || (175..<275).contains(tick) || tick >= 525
            if isSpeaking {
                buffer.insert(
                    .init(
                        sequence: UInt16(number),
                        timestamp: UInt32(960 * tick),
                        marker: tick == 175,
                        payload: Call.packets[number]
                    ),
                    at: now
                )
                number += 1
            }
            _ = buffer.next(at: now)
            now += .milliseconds(20)
        }
        #expect(buffer.statistics.underruns == 0)
        #expect(buffer.statistics.concealed == 0)
        #expect(buffer.statistics.paused >= 48 * 6_300 && buffer.statistics.paused <= 48 * 6_600)
        let delay = buffer.delay(at: now)
        #expect(try #require(delay) <= .milliseconds(60))
    }

    @Test func `a stream that begins again is played again`() throws {
        var buffer = try JitterBuffer(rate: Call.rate)
        var now = Duration.zero
        var loud = 0
        for tick in 0..<400 {
            // Another number, another clock.
            let (sequence, timestamp) = tick < 200 ? (tick, 960 * tick) : (tick + 30_000, 960 * tick + 2_000_000_000)
            buffer.insert(
                .init(
                    sequence: UInt16(truncatingIfNeeded: sequence),
                    timestamp: UInt32(truncatingIfNeeded: timestamp),
                    payload: Call.packets[tick]
                ),
                at: now
            )
            let frame = buffer.next(at: now)
            if tick > 250, frame.samples.contains(where: { abs($0) > 0.05 }) { loud += 1 }
            now += .milliseconds(20)
        }
        #expect(buffer.statistics.restarts == 1)
        #expect(loud > 90)
    }

    @Test func `a stall of a second is caught up with in silences`() throws {
        var buffer = try JitterBuffer(rate: Call.rate)
        var now = Duration.zero
        var largest = Duration.zero
        for tick in 0..<900 {
            let held = (300..<340).contains(tick)
            if tick == 340 {
                for late in 300..<340 { insert(late) }
            }
            if !held { insert(tick) }
            _ = buffer.next(at: now)
            largest = max(largest, buffer.delay(at: now) ?? .zero)
            now += .milliseconds(20)
        }
        func insert(_ number: Int) {
            let packet = JitterBuffer.Packet(
                sequence: UInt16(number),
                timestamp: UInt32(960 * number),
                payload: Call.packets[number % Call.packets.count]
            )
            buffer.insert(packet, at: now)
        }
        // Nothing of what came late is lost.
        #expect(buffer.statistics.late == 0 && buffer.statistics.restarts == 0)
        #expect(largest > .milliseconds(700))
        let delay = buffer.delay(at: now)
        #expect(try #require(delay) < .milliseconds(120))
    }

    @Test func `a flood and garbage are bounded and do no harm`() throws {
        var buffer = try JitterBuffer(rate: Call.rate)
        var random = SplitMix64(seed: 9)
        for round in 0..<20_000 {
            let isGarbage = random.next() % 2 == 0
            let payload =
                isGarbage
                ? (0..<(random.next() % 50)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                : Call.packets[round % Call.packets.count]
            let isWild = random.next() % 4 == 0
            buffer.insert(
                .init(
                    sequence: UInt16(truncatingIfNeeded: isWild ? Int(random.next() >> 33) : round / 10),
                    timestamp: UInt32(truncatingIfNeeded: isWild ? Int(random.next() >> 33) : round * 96),
                    marker: random.next() % 10 == 0,
                    payload: payload
                ),
                at: .milliseconds(round / 3)
            )
            if round % 50 == 0 {
                let frame = buffer.next(at: .milliseconds(round / 3))
                #expect(frame.samples.count == 320)
                #expect(frame.samples.allSatisfy { $0.isFinite })
            }
            #expect(buffer.held <= JitterBuffer.capacity)
        }
    }
}

@Suite struct TimeStretchTests {
    private static let stretch = TimeStretch(hertz: 16_000)

    private static func tone(_ hertz: Float, count: Int) -> [Float] {
        (0..<count).map { 0.5 * sin(2 * Float.pi * hertz * Float($0) / 16_000) }
    }

    @Test(arguments: [120, 200, 350] as [Float]) func `a tone gets shorter or longer by whole periods without a click`(
        hertz: Float
    ) {
        let tone = Self.tone(hertz, count: 320)
        for changed in [Self.stretch.shortened(tone), Self.stretch.lengthened(tone)] {
            let difference = abs(changed.count - tone.count)
            let periods = Float(difference) * hertz / 16_000
            #expect(difference > 0 && abs(periods - periods.rounded()) < 0.06)
            let steepest = zip(tone, tone.dropFirst()).map { abs($0 - $1) }.max() ?? 0
            #expect(zip(changed, changed.dropFirst()).allSatisfy { abs($0 - $1) < 1.3 * steepest })
            #expect(changed.first == tone.first || abs((changed.first ?? 1) - (tone.first ?? 0)) < 0.01)
            #expect(changed.last == tone.last)
        }
    }

    @Test func `noise is left alone, silence is not`() {
        var random = SplitMix64(seed: 1)
        let noise = (0..<320).map { _ in Float(random.uniform() - 0.5) }
        #expect(Self.stretch.shortened(noise) == noise)
        let silence = noise.map { $0 * 0.001 }
        #expect(Self.stretch.shortened(silence).count == 160)
        #expect(Self.stretch.lengthened(silence).count == 480)
        #expect(Self.stretch.shortened([0, 0]) == [0, 0])
    }
}
