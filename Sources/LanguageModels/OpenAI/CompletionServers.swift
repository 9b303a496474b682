internal import ServerPool
internal import Synchronization
internal import VoiceCore

/// The servers that reply with one model, one or the members of a pool.
final class CompletionServers: Sendable {
    /// Where one reply, or a part of it, is made.
    struct Place: Sendable {
        var server: CompletionServer
        /// Nil where there is only one server.
        var lease: ServerLease?
    }

    let all: [CompletionServer]
    /// Chooses among several; nil for one.
    let pool: ServerPool?
    let configuration: RemoteLanguageModel.Configuration
    private let unfit = UnfitServers()
    private let clock: any SessionClock
    private let warn: @Sendable (String) -> Void

    /// - Parameter warn: told of a server that cannot be used, or not yet.
    init(
        _ addresses: [CompletionAddress],
        pool: ServerPool?,
        configuration: RemoteLanguageModel.Configuration,
        clock: any SessionClock,
        warn: @escaping @Sendable (String) -> Void
    ) {
        all = addresses.map { CompletionServer(address: $0, configuration: configuration, isAlone: pool == nil) }
        self.pool = pool
        self.configuration = configuration
        self.clock = clock
        self.warn = warn
    }

    /// Asks all servers for their model, side by side.
    /// - Returns: the model's name on the first in order that has it.
    /// - Throws: what each of them said, when there is none.
    func prepare() async throws(VoiceError) -> String {
        let answers = await withTaskGroup(of: (Int, Result<String, CompletionFailure>).self) { group in
            for (number, server) in all.enumerated() {
                group.addTask {
                    do throws(CompletionFailure) {
                        // In the tuple itself Swift 6.3's optimiser loses the number over this call.
                        let name = try await server.model()
                        return (number, .success(name))
                    } catch {
                        return (number, .failure(error))
                    }
                }
            }
            var answers: [(Int, Result<String, CompletionFailure>)] = []
            while let answer = await group.next() { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
        var name: String?
        for case .success(let its) in answers where name == nil { name = its }
        guard let name else {
            let failures = answers.compactMap { if case .failure(let failure) = $0 { failure.error } else { nil } }
            guard let first = failures.first else { throw VoiceError(.usage, "there is no server") }
            throw VoiceError(first.code, failures.map(\.message).joined(separator: "; "), cause: first.cause)
        }
        for (number, answer) in answers.enumerated() {
            guard case .failure(let failure) = answer else { continue }
            if failure.kind == .unsuitable { _ = unfit.add(number, at: clock.now) }
            warn(failure.error.message)
        }
        return name
    }

    /// Chooses a server.
    /// - Parameters:
    ///   - home: the one that remembers the conversation.
    ///   - failed: those that it must not be.
    /// - Returns: nil if there is none.
    func place(preferring home: Int?, except failed: Set<Int>) -> Place? {
        guard let pool else { return Place(server: all[0]) }
        guard let lease = pool.lease(preferring: home, except: failed.union(unfit.all(at: clock.now))) else {
            return nil
        }
        return Place(server: all[lease.server], lease: lease)
    }

    /// Tells the pool of a failure.
    /// - Returns: whether another server may do better.
    func note(_ failure: CompletionFailure, of place: Place) -> Bool {
        guard let lease = place.lease else { return false }
        switch failure.kind {
        case .failed: lease.note(.failed)
        case .full(let pause): lease.note(.refused(pause))
        case .unsuitable: if unfit.add(lease.server, at: clock.now) { warn("\(failure.error.message) It is left out.") }
        case .request: return false
        }
        return true
    }

    /// Why there is no server.
    var failure: VoiceError {
        VoiceError(.unavailable, "no server of language models is there: \(pool?.trouble ?? "\(all[0].address)")")
    }
}
