internal import Audio
internal import VoiceCore

/// A conversation with an echo: what the microphone hears goes back as one endless reply.
///
/// It begins when frames come one by one: what came before the conversation began comes in a heap. Frames come by the client's clock, and
/// packets leave by ours. When something stands still packets leave without sound, and what should have been in them waits, and all behind
/// it: an ordinary reply would end and the next one begin in time. So where more is on its way than at best, frames are left out.
struct EchoSession {
    /// A reply's first packet leaves at once and sets the pace; being late with it by this gives all later ones so much time to come.
    private static let margin = Duration.milliseconds(5)
    /// Frames this far apart come one by one, and it begins with the last of so many in a row.
    private static let apart = Duration.milliseconds(10)
    private static let beginning = 5
    /// How many frames come between two looks at what is on its way; the least of it then counts, as it comes and goes by a frame.
    private static let interval = 10

    private let transport: any Transport
    private let clock: any SessionClock
    private var steady = (frames: 0, latest: Duration?.none)
    private var sent = 0
    private var played: Int?
    /// What was on its way, in samples, as the latest frames came, and the least that was so far.
    private var underway: [Int] = []
    private var least: Int?
    private var excess = 0

    /// Frames that did not go back.
    private(set) var skipped = 0

    /// Makes a session on a transport whose microphone has 16 kHz.
    init(transport: any Transport, clock: any SessionClock) {
        self.transport = transport
        self.clock = clock
    }

    /// Echoes until the person has gone.
    mutating func run() async {
        let rate = transport.playoutRate
        var resampler = Resampler(from: .speech, to: rate)
        // The first samples come out short by the filter's delay; without these, packets would never be whole when they are due.
        var samples = [Float](repeating: 0, count: rate.samples(in: resampler.delay))
        for await event in transport.events {
            switch event {
            case .played(_, let samples): played = samples
            case .audio(let frame):
                guard hasBegun(), !isTooMuch(rate.samples(in: frame.duration)) else { continue }
                do {
                    if sent == 0 { try await clock.sleep(until: clock.now + Self.margin) }
                    samples += resampler.feed(frame.samples)
                    let audio = AudioFrame(samples: samples, rate: rate, position: sent)
                    sent += samples.count
                    samples = []
                    try await transport.send(.audio(PlayoutFrame(epoch: 1, audio: audio)))
                } catch { return }
            case .text, .typed, .interrupt, .cancelJob, .farewell: break
            }
        }
    }

    /// True from the frame on, of those that come now, with which the echo begins.
    private mutating func hasBegun() -> Bool {
        guard sent == 0 else { return true }
        let now = clock.now
        let isApart = steady.latest.map { now - $0 >= Self.apart } ?? false
        steady = (isApart ? steady.frames + 1 : 0, now)
        return steady.frames >= Self.beginning
    }

    /// True for a frame of so many samples that is to be left out.
    private mutating func isTooMuch(_ length: Int) -> Bool {
        guard let played else { return false }
        underway.append(sent - played)
        if underway.count == Self.interval, let now = underway.min() {
            underway = []
            let best = min(now, least ?? now)
            least = best
            // One frame more than at best may well be how the packets' pace and the frames' lie to each other now.
            excess = (now - best) / length - 1
        }
        guard excess > 0 else { return false }
        excess -= 1
        skipped += 1
        return true
    }
}
