internal import VoiceCore

/// Smart Turn: takes its time on the processor, and is right as often as the talkers' habits say.
struct SimulatedTurnDetector: TurnDetector {
    let name = "simulated"
    let machine: SimulatedMachine
    /// All sessions' detector; nil where each has its own.
    let thread: EngineThread?
    let talker: TalkerTransport

    func endProbability(ofTurn turn: [Float]) async throws(VoiceError) -> Float {
        // It knows the sound up to now.
        let probability = talker.endProbability(at: machine.time.now)
        let (processor, verdict) = (machine.processor, machine.costs.verdict)
        if let thread {
            await thread.run { await processor.compute(verdict.cost, threads: verdict.threads) }
        } else {
            await processor.compute(verdict.cost, threads: verdict.threads)
        }
        return probability
    }
}
