/// A thread that serves one after the other, first come, first served.
actor EngineThread {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var firstWaiting = 0

    /// Does something when all who came before are served.
    func run(_ body: @Sendable () async -> Void) async {
        if isTaken {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            isTaken = true
        }
        await body()
        guard firstWaiting < waiting.count else {
            waiting.removeAll(keepingCapacity: true)
            firstWaiting = 0
            isTaken = false
            return
        }
        firstWaiting += 1
        waiting[firstWaiting - 1].resume()
    }
}
