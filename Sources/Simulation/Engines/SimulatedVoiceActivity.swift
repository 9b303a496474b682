internal import Synchronization
internal import VoiceCore

/// Silero as it behaves: it hears every sound, and notices its end late.
struct SimulatedVoiceActivity: VoiceActivityDetector {
    /// So many windows after the last sound still count as speech: the detector notices silence some 100 ms late
    /// (docs/performance.md).
    static let lag = 3

    let name = "simulated"
    let windowLength = 512
    let machine: SimulatedMachine
    let thread: EngineThread

    func openStream() async throws(VoiceError) -> any VoiceActivityStream { Stream(machine: machine, thread: thread) }

    /// Takes whole windows, as ``TalkerTransport`` sends them.
    private actor Stream: VoiceActivityStream {
        private let machine: SimulatedMachine
        private let thread: EngineThread
        private var voicedFor = 0

        init(machine: SimulatedMachine, thread: EngineThread) {
            self.machine = machine
            self.thread = thread
        }

        func feed(_ samples: [Float]) async throws(VoiceError) -> [Float] {
            let windows = samples.count / 512
            let (time, cost) = (machine.time, machine.costs.voiceActivityWindow * windows)
            if cost > .zero { await thread.run { await time.pass(cost) } }
            return (0..<windows).map { window in
                let isSound = samples[(512 * window)..<(512 * (window + 1))].contains { $0 != 0 }
                voicedFor = isSound ? SimulatedVoiceActivity.lag + 1 : max(0, voicedFor - 1)
                return voicedFor > 0 ? 0.95 : 0.02
            }
        }

        func reset() { voicedFor = 0 }
    }
}
