internal import VoiceCore

// What the agent says without having been asked: news of its jobs.

extension TurnMachine {
    /// Something that the agent wants to say.
    struct News: Sendable {
        var isUrgent: Bool
    }

    /// When it is said if nothing happens before.
    var announcement: Duration? {
        guard let news, let idleSince else { return nil }
        return news.isUrgent ? idleSince : idleSince + configuration.idleBeforeNews
    }

    mutating func takeNews(_ isUrgent: Bool, _ now: Duration) -> [Action] {
        news = News(isUrgent: isUrgent || news?.isUrgent == true)
        guard isUrgent, case .quiet = person, !turnIsOpen else { return [] }
        // It is said as soon as nobody speaks. An answer that the person waits for goes first.
        switch agent {
        case .silent, .preparing: return []
        case .speaking(let epoch):
            agent = .silent
            playoutPause.isOn = false
            return [.cut(epoch: epoch)]
        }
    }

    /// Speaks of the news if it is time.
    mutating func announce(_ now: Duration) -> [Action] {
        guard let announcement, now >= announcement else { return [] }
        return speakOfNews()
    }

    private mutating func speakOfNews() -> [Action] {
        news = nil
        openTurn()
        turnIsOpen = false
        idleSince = nil
        let epoch = speakUp()
        return [.speakUp(turn: turn, epoch: epoch)]
    }

    mutating func noteIdleness(_ now: Duration) {
        guard case .quiet = person, case .silent = agent, !turnIsOpen else {
            idleSince = nil
            return
        }
        idleSince = idleSince ?? now
    }
}
