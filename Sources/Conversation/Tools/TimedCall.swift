internal import VoiceCore

/// Something that is done against the clock, until somebody stops it.
struct TimedCall {
    private enum Step: Sendable {
        case ended(ToolOutcome)
        case slow
        case tooLate
        case stopped
    }

    let clock: any SessionClock
    /// What takes longer has failed.
    let timeout: Duration
    /// Finished when it is to be cancelled.
    let stop: Mailbox<Never>
    /// What the model is told then.
    let stopped: ToolOutcome

    /// Does it once.
    /// - Parameters:
    ///   - delay: how long it may take before `isSlow` is called, once; nil for never.
    ///   - body: is cancelled when time is up or somebody stops it; what it then returns is not looked at, but waited for.
    func outcome(
        slowAfter delay: Duration? = nil,
        isSlow: @Sendable () -> Void = {},
        of body: @escaping @Sendable () async -> ToolOutcome
    ) async -> ToolOutcome {
        let began = clock.now
        return await withTaskGroup(of: Step.self) { group in
            // Each child hands its unit of work over to this task when it ends, so that time cannot move in between.
            var children = 0
            func add(_ body: @escaping @Sendable () async -> Step) {
                clock.workBegan()
                children += 1
                group.addTask { await body() }
            }
            add { .ended(await body()) }
            add {
                guard (try? await clock.sleep(until: began + timeout)) != nil else { return .stopped }
                return .tooLate
            }
            add {
                _ = await stop.next()
                return .stopped
            }
            if let delay {
                add {
                    guard (try? await clock.sleep(until: began + delay)) != nil else { return .stopped }
                    return .slow
                }
            }
            var outcome: ToolOutcome?
            clock.workEnded()
            while children > 0, let step = await group.next() {
                children -= 1
                switch step {
                case _ where outcome != nil: break
                case .slow: isSlow()
                case .ended(let ended): outcome = ended
                case .tooLate:
                    let limit = timeout.components.seconds
                    outcome = ToolOutcome("It took longer than \(limit) seconds and was given up.", succeeded: false)
                case .stopped: outcome = stopped
                }
                if outcome != nil { group.cancelAll() }
                if children > 0 { clock.workEnded() }
            }
            return outcome ?? ToolOutcome("It was cancelled.", succeeded: false)
        }
    }
}

extension ToolOutcome {
    /// A longer result would fill the model's memory.
    static let longest = 16 << 10

    /// What comes of a call: its result, cut where it is too long, or what went wrong.
    static func of(_ call: () async throws -> String) async -> ToolOutcome {
        do {
            let text = try await call()
            return ToolOutcome(text.isEmpty ? "Done." : text.cut(to: longest))
        } catch let error as VoiceError {
            return ToolOutcome("It failed: \(error.message)", succeeded: false)
        } catch {
            return ToolOutcome("It failed: \(error)", succeeded: false)
        }
    }
}

extension String {
    /// The text, or as much of it as so many bytes hold.
    func cut(to bytes: Int) -> String {
        guard utf8.count > bytes else { return self }
        return String(decoding: utf8.prefix(bytes), as: UTF8.self) + " … (cut off)"
    }
}
