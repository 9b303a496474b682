internal import Synchronization
internal import VoiceCore

/// The chats of a model, shared by requests that know nothing of each other.
///
/// Requests are stateless, memory is not: a request gets the idle chat that has read the most of its conversation, so that only
/// what is new has to be read. Where that would cost a chat more than half of what it remembers, the request is another conversation
/// and gets the chat that was used longest ago. A chat whose client has left is idle within a token and worth the wait: whoever
/// interrupts a reply asks again at once. Requests that find no chat wait in the order in which they came.
final class ChatPool: Sendable {
    private enum Use { case idle, busy, ending }

    private struct Seat {
        let chat: any Chat
        /// What it has read, and what it has said to that.
        var memory = Prompt()
        /// What it is reading.
        var reading = Prompt()
        var use = Use.idle
        /// When it was used last, as a number of uses of any.
        var lastUse = 0
    }

    /// A chat, and which use of any chats this is.
    private struct Taken {
        var seat: Int
        var use: Int
    }

    private struct Waiter {
        let id: Int
        let prompt: Prompt
        let continuation: CheckedContinuation<Taken?, Never>
    }

    private struct State {
        var seats: [Seat]
        var waiters: [Waiter] = []
        var uses = 0
        var waits = 0
    }

    private let state: Mutex<State>
    private let patience: Duration
    private let clock: any SessionClock

    /// Opens all chats.
    /// - Parameters:
    ///   - chats: how many, at least one.
    ///   - patience: how long a request waits for one.
    /// - Throws: ``VoiceError/Code/exhausted`` if the model has no room for so many.
    init(_ model: any LanguageModel, chats: Int, patience: Duration, clock: any SessionClock) async throws(VoiceError) {
        var seats: [Seat] = []
        for _ in 0..<chats { seats.append(Seat(chat: try await model.openChat())) }
        state = Mutex(State(seats: seats))
        self.patience = patience
        self.clock = clock
    }

    /// Requests that wait at the moment.
    var waitingCount: Int { state.withLock { $0.waiters.count } }

    /// Takes the chat that suits a prompt best.
    /// - Throws: ``VoiceError/Code/exhausted`` if none became idle in time, ``VoiceError/Code/cancelled``.
    func take(for prompt: Prompt) async throws(VoiceError) -> ChatLease {
        let (taken, id) = state.withLock { state -> (Taken?, Int) in
            state.waits += 1
            let taken = state.waiters.isEmpty ? Self.place(prompt, &state) : nil
            return (taken, state.waits)
        }
        if let taken { return lease(taken) }
        let deadline = clock.now + patience
        let lease = await withTaskGroup(of: ChatLease?.self) { group in
            group.addTask { await self.wait(prompt, id).map(self.lease) }
            group.addTask { [clock] in
                try? await clock.sleep(until: deadline)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        if let lease { return lease }
        guard !Task.isCancelled else { throw VoiceError(.cancelled, "the request was cancelled") }
        throw VoiceError(
            .exhausted,
            "no chat became free within \(Int(patience.milliseconds / 1000)) s; try again later"
        )
    }

    private func lease(_ taken: Taken) -> ChatLease {
        let chat = state.withLock { $0.seats[taken.seat].chat }
        return ChatLease(chat: chat, seat: taken.seat, use: taken.use, pool: self)
    }

    private func wait(_ prompt: Prompt, _ id: Int) async -> Taken? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.waiters.append(Waiter(id: id, prompt: prompt, continuation: continuation))
                    return false
                }
                if isCancelled { return continuation.resume(returning: nil) }
                serve()
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: nil)
        }
    }

    /// Gives chats to those who wait.
    private func serve() {
        let served = state.withLock { state in
            let waiters = state.waiters
            state.waiters = []
            var served: [(Waiter, Taken)] = []
            for waiter in waiters {
                if let taken = Self.place(waiter.prompt, &state) {
                    served.append((waiter, taken))
                } else {
                    state.waiters.append(waiter)
                }
            }
            return served
        }
        for (waiter, taken) in served { waiter.continuation.resume(returning: taken) }
    }

    /// The chat that a prompt gets now; nil if it has to wait.
    private static func place(_ prompt: Prompt, _ state: inout State) -> Taken? {
        guard let seat = best(for: prompt, state.seats), state.seats[seat].use == .idle else { return nil }
        state.uses += 1
        state.seats[seat].use = .busy
        state.seats[seat].reading = prompt
        state.seats[seat].lastUse = state.uses
        return Taken(seat: seat, use: state.uses)
    }

    private static func best(for prompt: Prompt, _ seats: [Seat]) -> Int? {
        var best: (seat: Int, shared: Int)?
        for (index, seat) in seats.enumerated() where seat.use != .busy {
            let memory = seat.use == .idle ? seat.memory : seat.reading
            let shared = memory.shared(with: prompt)
            guard shared > best?.shared ?? 0, 2 * shared >= memory.size else { continue }
            best = (index, shared)
        }
        return best?.seat
            ?? seats.indices.filter { seats[$0].use == .idle }.min { seats[$0].lastUse < seats[$1].lastUse }
    }

    /// Notes that a chat will be given back within a token.
    fileprivate func expectEnd(of seat: Int, use: Int) {
        let isHeld = state.withLock { state in
            guard state.seats[seat].lastUse == use, state.seats[seat].use == .busy else { return false }
            state.seats[seat].use = .ending
            return true
        }
        if isHeld { serve() }
    }

    fileprivate func giveBack(_ seat: Int, use: Int, remembering memory: Prompt?) {
        let wasHeld = state.withLock { state in
            guard state.seats[seat].lastUse == use, state.seats[seat].use != .idle else { return false }
            if let memory { state.seats[seat].memory = memory }
            state.seats[seat].use = .idle
            return true
        }
        if wasHeld { serve() }
    }
}

/// A chat, taken from its pool until it is given back or nobody refers to this any more.
final class ChatLease: Sendable {
    let chat: any Chat
    /// The chat's number in the pool.
    let seat: Int
    private let use: Int
    private let pool: ChatPool

    fileprivate init(chat: any Chat, seat: Int, use: Int, pool: ChatPool) {
        self.chat = chat
        self.seat = seat
        self.use = use
        self.pool = pool
    }

    deinit { giveBack(remembering: nil) }

    /// Says that the chat's work was cancelled and that it will be given back at once.
    func expectEnd() { pool.expectEnd(of: seat, use: use) }

    /// Gives the chat back, once.
    /// - Parameter memory: what it has read and said; nil if it was not used.
    func giveBack(remembering memory: Prompt?) { pool.giveBack(seat, use: use, remembering: memory) }
}
