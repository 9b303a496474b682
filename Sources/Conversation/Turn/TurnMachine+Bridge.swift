internal import VoiceCore

// What is said while the person waits for a final transcript that is late.

extension TurnMachine {
    /// When the wait for the final transcript is bridged, if it does not come before; nil for never.
    func bridging(since: Duration) -> Duration? {
        guard let wait = configuration.bridgesTranscripts, case .silent = agent, bridge == nil, !hasDraft else {
            return nil
        }
        return since + wait
    }

    /// Opens the answer with a word about waiting; what it answers comes later.
    mutating func bridgeWait() -> [Action] {
        let epoch = nextEpoch()
        bridge = epoch
        agent = .preparing(epoch: epoch, turn: turn, text: carried)
        return [.bridge(turn: turn, epoch: epoch)]
    }

    /// Whether the open reply is only a word about waiting.
    var isBridging: Bool { bridge != nil && bridge == currentEpoch }

    /// The transcript came: the answer goes on behind the word about waiting.
    mutating func answerBehindBridge(_ text: String) -> [Action] {
        guard isBridging, let epoch = bridge else { return [] }
        bridge = nil
        news = nil
        if case .preparing = agent { agent = .preparing(epoch: epoch, turn: turn, text: text) }
        return [.answer(turn: turn, epoch: epoch, text: text)]
    }

    /// There is nothing to answer.
    mutating func endBridge() -> [Action] {
        guard isBridging, let epoch = bridge else { return [] }
        bridge = nil
        agent = .silent
        playoutPause.isOn = false
        return [.cut(epoch: epoch)]
    }
}
