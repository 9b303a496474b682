internal import Logging
internal import Redis
internal import Synchronization
internal import VoiceCore

extension RedisDirectory {
    /// A worker's key is good so long after it spoke.
    private static let heartbeat = Duration.seconds(3)
    /// As many workers are listed.
    private static let mostWorkers = 1000

    /// See ``SessionDirectory/workers()``. Never waits for Redis.
    package func workers() async -> [WorkerStatus] {
        let now = clock.now
        return state.withLock { state in
            let others = state.workers.current(at: now).filter { $0.worker != state.status?.worker }
            return others + [state.status].compactMap { $0 }
        }
    }

    /// See ``SessionDirectory/publish(_:)``.
    package func publish(_ status: WorkerStatus) async {
        state.withLock { $0.status = status }
        guard client.isReady else { return }
        do {
            let keys = ["\(prefix):worker:\(status.worker)", "\(prefix):workers"]
            let arguments = ["\(Int(Self.heartbeat.milliseconds))", status.worker, owner] + status.fields
            let before = try await ask(DirectoryScripts.publish, keys: keys, arguments).string(0)
            noteNamesake(before)
        } catch {
            note(error)
        }
    }

    /// Asks how the others are.
    func refreshWorkers() async {
        do {
            let asked = clock.now
            let arguments = [
                "\(prefix):worker:", "\(Int(WorkerList.patience.milliseconds))", "\(Self.mostWorkers)",
            ]
            let rows = try await ask(DirectoryScripts.list, keys: ["\(prefix):workers"], arguments).elements(0)
            let unreadable = state.withLock { $0.workers.replace(with: rows, at: asked) }
            for name in unreadable {
                logger.warning("A worker says how it is in a way that cannot be read", metadata: ["worker": "\(name)"])
            }
        } catch {
            note(error)
        }
    }

    /// A worker that was started again finds its predecessor's words for a while; two that live find each other's all the time.
    private func noteNamesake(_ before: String) {
        let namesakes = state.withLock { state in
            state.namesakes = before.isEmpty || before == owner ? 0 : state.namesakes + 1
            return state.namesakes
        }
        guard namesakes == 5 else { return }
        logger.error("Another process speaks as this worker: give each its own name", metadata: ["worker": "\(worker)"])
    }
}
