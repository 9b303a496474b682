internal import Logging
internal import VoiceCore

/// What the session makes of its jobs' news, and of calls that hand the conversation over.
extension Session {
    /// Takes the latest news of each job: shows it, and does with it what its delivery says.
    mutating func takeJobNews() async {
        var pressing: JobDelivery?
        for news in background.takeNews() {
            await show(.job(news.report))
            guard news.delivery > .silent else { continue }
            pressing = max(pressing ?? .silent, news.delivery)
            // Of a job the latest counts.
            jobNews.removeAll { $0.id == news.report.id }
            jobNews.append(news.report)
        }
        guard let pressing else { return }
        if reply == nil {
            rememberNews()
            prepare()
        }
        guard pressing >= .whenIdle else { return }
        await perform(machine.handle(.news(isUrgent: pressing == .interrupt), at: clock.now))
    }

    /// Puts what the jobs told meanwhile into the conversation. Not while a reply is open: what it answers stands fast.
    mutating func rememberNews() {
        jobNews.forEach { context.note($0.block) }
        jobNews = []
    }

    /// After a call that hands the conversation over another agent has it, whether the person hears of it or not.
    mutating func handOver(after call: ToolCall, _ outcome: ToolOutcome, of name: String) async {
        guard outcome.succeeded, let successor = roster[name].successor(call), successor != agent.name else { return }
        agent = roster[successor]
        context.instruct(agent.systemPrompt)
        logger.info("Handed over", metadata: ["agent": "\(successor)"])
        await show(.handedOver(to: successor))
    }
}
