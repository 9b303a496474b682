internal import Inference
internal import Synchronization
internal import VoiceCore

/// The one machine that all sessions of a simulation share: a device with its lane, and a processor.
///
/// The lane is the real one, with all its rules; only the bodies of its quanta are replaced by the passing of their time. As
/// published, the other stack's three processes know nothing of each other: there is no lane, and the device is shared
/// evenly by all that compute at a time.
final class SimulatedMachine: Sendable {
    let time: VirtualTime
    let costs: StackCosts
    /// Nil for a device that processes share without a scheduler.
    let lane: Lane?
    let processor: SharedProcessor
    private let device: SharedProcessor?
    private let computesOnProcessor: Bool
    private let usage: Usage

    private final class Usage: Sendable {
        let busy = Mutex(Duration.zero)
    }

    /// - Parameter published: the other stack's costs, for its processes; nil for our engines.
    init(_ model: DeviceModel, published: StackCosts?, time: VirtualTime) {
        let usage = Usage()
        self.time = time
        self.usage = usage
        costs = published ?? model.ours
        computesOnProcessor = model.sharesProcessor
        processor = SharedProcessor(cores: model.cores, time: time)
        device = published == nil ? nil : SharedProcessor(cores: 1, time: time)
        lane =
            published == nil
            ? Lane(name: model.name, clock: time) { quantum in usage.busy.withLock { $0 += quantum.cost } } : nil
    }

    /// The time that the device was taken.
    var busy: Duration { device?.busy ?? usage.busy.withLock { $0 } }

    /// Quanta that were turned away because too many waited.
    var refused: Int {
        guard let statistics = lane?.statistics else { return 0 }
        return QuantumClass.allCases.reduce(0) { $0 + statistics[$1].refused }
    }

    /// Computes a quantum when its turn has come.
    /// - Parameters:
    ///   - request: for whom it is and how pressing.
    ///   - threads: of the processor, where that is the device.
    ///   - cost: what it costs, worked out once its turn has come.
    func compute(_ request: QuantumRequest, threads: Int, _ cost: () -> Duration) async throws(VoiceError) {
        guard let lane else {
            await device?.compute(cost())
            return
        }
        try await lane.occupy(request) { () async throws(VoiceError) in
            let cost = cost()
            if computesOnProcessor { await processor.compute(cost, threads: threads) } else { await time.pass(cost) }
        }
    }
}
