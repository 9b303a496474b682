internal import NIOCore
internal import VoiceCore

/// Runs tasks on an event loop: whoever is woken by the loop, or by time, or wakes the loop, changes no thread.
final class LoopExecutor: SessionExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in
            // A job is run once, and this executor lives as long as the tasks that prefer it.
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        guard duration > .zero else { return }
        let (seconds, attoseconds) = duration.components
        let alarm = loop.scheduleTask(in: .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000)) {}
        do {
            try await withTaskCancellationHandler {
                try await alarm.futureResult.get()
            } onCancel: {
                alarm.cancel()
            }
        } catch EventLoopError.cancelled {
            throw CancellationError()
        }
    }
}
