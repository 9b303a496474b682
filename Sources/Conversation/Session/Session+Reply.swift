internal import Logging
internal import VoiceCore

/// What the session makes of the open reply's steps and of what the loudspeaker plays of it.
extension Session {
    mutating func handle(_ step: ReplyStep, _ epoch: Int) async {
        if case .computed(let tokens) = step { speculation.count(tokens, of: epoch) }
        guard reply?.epoch == epoch else {
            if case .toolEnded(let call, let outcome, let agent) = step {
                context.settle(call, outcome)
                await handOver(after: call, outcome, of: agent)
            }
            return
        }
        switch step {
        case .completeness(let probability):
            await perform(machine.handle(.completeness(epoch: epoch, probability: probability), at: clock.now))
        case .calls(let round): reply?.rounds.append(round)
        case .toolBegan(let call): await tell(.toolBegan(call))
        case .toolEnded(let call, let outcome, let agent):
            if let index = reply?.rounds.lastIndex(where: { $0.calls.contains { $0.id == call.id } }) {
                reply?.rounds[index].outcomes[call.id] = outcome
            }
            if roster[agent].hangsUp(call), outcome.succeeded { reply?.isFarewell = true }
            await tell(.toolEnded(call, outcome))
            await handOver(after: call, outcome, of: agent)
        case .firstToken(let at):
            reply?.timeline.firstToken = at
            // What can be read was received, like what can be heard.
            if reply?.written != nil { await perform(machine.handle(.replyAudible(epoch: epoch), at: clock.now)) }
        case .text(let piece):
            reply?.written?.append(piece)
            await tell(.text(piece))
        case .clause(let text): await tell(.clause(text, isSpoken: reply?.written == nil))
        case .firstSegment(let at): reply?.timeline.firstSegment = at
        case .firstAudio(let at): reply?.timeline.firstAudio = at
        case .generated(let usage): reply?.usage = usage
        case .failed(let error): reply?.failure = error
        case .computed: if reply?.modelIsBusy == true { await tell(.modelEnded) }
        case .completed: await endEngines()
        }
    }

    /// Tells of a step of the open reply, once it is certain that it will be heard.
    mutating func tell(_ event: ReplyStage) async {
        switch event {
        case .modelBegan: reply?.modelIsBusy = true
        case .modelEnded: reply?.modelIsBusy = false
        case .clause(_, let isSpoken): reply?.voiceIsBusy = isSpoken
        case .voiceEnded: reply?.voiceIsBusy = false
        case .text, .toolBegan, .toolEnded: break
        }
        guard let open = reply else { return }
        if open.isHeld { reply?.withheld.append(event) } else { await show(.reply(turn: open.turn, event)) }
    }

    /// Tells that no engine works for the open reply any more.
    mutating func endEngines() async {
        if reply?.modelIsBusy == true { await tell(.modelEnded) }
        if reply?.voiceIsBusy == true { await tell(.voiceEnded) }
    }

    /// Remembers a typed message that is not answered, after what is being said.
    mutating func note(_ text: String) {
        guard reply != nil else { return context.note(text) }
        if notes.count < 64 { notes.append(text) }
    }

    mutating func handle(_ event: Playout.Event) async {
        switch event {
        case .audible(let epoch, let at):
            guard reply?.epoch == epoch else { return }
            reply?.isAudible = true
            reply?.timeline.audible = at
            agentSpeaks(true)
            await show(.agentSpeaking(true))
            await perform(machine.handle(.replyAudible(epoch: epoch), at: clock.now))
        case .confirmed(let epoch, let at):
            guard reply?.epoch == epoch else { return }
            reply?.timeline.audible = at
        case .progress(let epoch, let heard, let pending):
            guard let open = reply, open.epoch == epoch else { return }
            reply?.heard = heard
            await show(
                .agentTranscript(turn: open.turn, heard: heard, pending: pending, isFinal: false, interrupted: false)
            )
        case .underrun(let epoch, let lasted):
            playoutCount.underruns += 1
            trace.span("playout", "underrun", from: clock.now - lasted, to: clock.now, ["epoch": "\(epoch)"])
        case .finished(let epoch, let heard):
            guard reply?.epoch == epoch else { return }
            await perform(machine.handle(.replyEnded(epoch: epoch), at: clock.now))
            await close(heard: heard, interrupted: false)
        }
    }

    /// Ends the open reply: what was heard enters the context, the figures enter the report.
    mutating func close(heard: String, interrupted: Bool) async {
        await endEngines()
        guard let open = reply else { return }
        let heard = open.written ?? heard
        if let audible = open.timeline.audible {
            let details = ["interrupted": "\(interrupted)"]
            trace.span("playout", "reply \(open.epoch)", from: audible, to: clock.now, details)
        }
        reply = nil
        paused = nil
        agentSpeaks(false)
        if let failure = open.failure { await report(failure) }
        await show(
            .agentTranscript(turn: open.turn, heard: heard, pending: "", isFinal: true, interrupted: interrupted)
        )
        if open.isAudible { await show(.agentSpeaking(false)) }
        context.commit(user: open.user, rounds: open.rounds, heard: heard)
        notes.forEach { context.note($0) }
        notes = []
        rememberNews()
        if let user = open.user {
            if open.isAudible || open.written?.isEmpty == false {
                logLatency(of: open)
                let report = turnReport(open, user: open.transcript ?? user, heard: heard, interrupted: interrupted)
                reports.append(report)
                await show(.turnReport(report))
            } else {
                await show(.turnDropped(turn: open.turn, reason: open.failure?.message ?? "the answer was empty"))
            }
        }
        if open.isFarewell, !interrupted { return hangUp() }
        prepare()
    }

    private func turnReport(_ open: OpenReply, user: String, heard: String, interrupted: Bool) -> TurnReport {
        TurnReport(
            turn: open.turn,
            user: user,
            agent: heard,
            interrupted: interrupted,
            voiceToVoice: open.timeline.voiceToVoice,
            tiles: open.timeline.tiles,
            speculation: open.speculation,
            llm: open.usage
        )
    }

    private func logLatency(of reply: OpenReply) {
        guard let voiceToVoice = reply.timeline.voiceToVoice, let tiles = reply.timeline.tiles else { return }
        func line(_ service: String, _ milliseconds: Double) {
            logger.info("\(service) TTFB: \(Int(milliseconds.rounded()))ms", metadata: ["turn": "\(reply.turn)"])
        }
        line("ServerVoiceToVoice", voiceToVoice)
        line("SpeechRecognizer", tiles.asrFinal)
        line("LanguageModel", tiles.llmFirstToken)
        line("SpeechSynthesizer", tiles.ttsFirstAudio)
    }
}
