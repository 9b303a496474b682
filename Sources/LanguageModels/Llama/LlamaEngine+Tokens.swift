internal import Inference
internal import VoiceCore

/// A token for each of several replies in one call.
extension LlamaEngine {
    /// Computes a token, with those of others that want one.
    func token(_ seat: Int, _ run: ChatSeat.Run, _ urgency: Urgency?) async throws(VoiceError) -> Step {
        let number = steps.want(seat: seat, run: run.id)
        defer { steps.end(number) }
        if steps.lacksOthers(than: seat) {
            // Cut short when the caller is cancelled; then it does not get the device.
            try? await Task.sleep(for: Self.gatheringWindow)
            if let result = steps.result(of: number) { return try result.get() }
        }
        var request = quantum(Self.decodeKind, of: run, seat, urgency)
        request.errand = QuantumRequest.Errand(of: self, number: number)
        _ = try await lane.share(request) { () throws(VoiceError) in
            let count = computeTokens(for: number)
            return ((), units: count)
        }
        guard let result = steps.result(of: number) else { throw VoiceError(.fault, "A token was lost.") }
        return try result.get()
    }

    /// Computes a token for this wish and for all others that wait.
    /// - Returns: tokens computed.
    private func computeTokens(for leader: UInt64) -> Int {
        var rows: [(number: UInt64, row: LlamaContext.Row)] = []
        for (number, wanted) in steps.open(from: leader) where rows.count < context.options.batch {
            guard let run = current(wanted.seat, wanted.run) else {
                steps.fulfil(number, .success(.over))
                continue
            }
            guard !rows.contains(where: { $0.row.sequence == wanted.seat }) else { continue }
            switch nextToken(wanted.seat, run) {
            case .success(let token):
                let position = seats[wanted.seat].log.count
                rows.append((number, LlamaContext.Row([token], at: position, sequence: wanted.seat)))
            case .failure(let end): steps.fulfil(number, end.result)
            }
        }
        compute(rows)
        let done = steps.fulfilled(but: leader).map { QuantumRequest.Errand(of: self, number: $0) }
        if !done.isEmpty { lane.relieve(Set(done)) }
        return max(1, rows.count)
    }

    /// Why a reply gets no token.
    private struct NoToken: Error {
        var result: Result<Step, VoiceError>
    }

    /// The token to be read next: the last of the prompt, or the one that was chosen last.
    private func nextToken(_ seat: Int, _ run: ChatSeat.Run) -> Result<TokenID, NoToken> {
        if let last = run.unread.last {
            do throws(VoiceError) {
                try keepCopies(seat)
                return .success(last)
            } catch {
                return .failure(NoToken(result: .failure(error)))
            }
        }
        guard let reply = run.reply, let pending = reply.pending else {
            return .failure(NoToken(result: .success(.over)))
        }
        guard !reply.isSpent, seats[seat].log.count + 1 < contextLength else {
            return .failure(NoToken(result: .success(finish(seat, run.usage, truncated: true))))
        }
        return .success(pending)
    }

    private func compute(_ rows: [(number: UInt64, row: LlamaContext.Row)]) {
        guard !rows.isEmpty else { return }
        do throws(VoiceError) {
            if try decode(rows.map(\.row)) {
                for (number, row) in rows { steps.fulfil(number, chosen(row.sequence)) }
            } else if rows.count > 1 {
                for row in rows { compute([row]) }
            } else {
                throw full
            }
        } catch {
            for (number, row) in rows {
                clear(row.sequence)
                steps.fulfil(number, .failure(error))
            }
        }
    }

    /// Chooses a reply's next token.
    private func chosen(_ seat: Int) -> Result<Step, VoiceError> {
        guard let run = seats[seat].run, let reply = run.reply else { return .success(.over) }
        seats[seat].run?.unread = []
        do throws(VoiceError) {
            return .success(try choose(seat, reply, run.usage))
        } catch {
            clear(seat)
            return .failure(error)
        }
    }
}
