internal import Testing

@testable internal import Cluster

struct EdgeWorkerTests {
    private func worker(
        _ capacity: Int,
        used: Int = 0,
        load: Double = 0,
        _ state: WorkerStatus.State = .ready
    ) -> WorkerStatus {
        WorkerStatus(
            worker: "a",
            address: "10.0.0.1:1",
            state: state,
            capacity: capacity,
            used: used,
            load: load,
            version: "1"
        )
    }

    private func weights(_ workers: WorkerStatus...) -> [Int] {
        workers.map { EdgeWorker.weight(of: $0, among: workers) }
    }

    @Test func `an empty worker of the largest capacity has all the weight there is`() {
        #expect(weights(worker(10), worker(5), worker(10, load: 0.5), worker(5, load: 0.5)) == [256, 128, 128, 64])
    }

    @Test func `a worker without room is taken out while another has some`() {
        #expect(weights(worker(10, used: 10, load: 1), worker(10, used: 9, load: 0.9)) == [0, 26])
        #expect(weights(worker(10, used: 12, load: 1), worker(0), worker(10)) == [0, 0, 256])
    }

    @Test func `where nobody has room all are asked`() {
        #expect(weights(worker(10, used: 10, load: 1), worker(5, used: 5, load: 1)) == [1, 1])
        #expect(weights(worker(10, used: 10, load: 1), worker(5, .draining)) == [1, 256 / 2])
        #expect(weights(worker(0)) == [1])
    }

    @Test func `a worker with room but busy engines is asked last`() {
        #expect(weights(worker(10, load: 1), worker(10, load: 2), worker(10, load: .nan)) == [1, 1, 1])
        #expect(weights(worker(10, load: -1)) == [256])
    }
}
