internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import Simulation

struct SharedStepsTests {
    private static let kind = QuantumKind(engine: "test", step: "step")

    /// When each of four streams that ask at the same time has its step.
    private func ends(largestBatch: Int) throws -> [Duration] {
        try VirtualTime.run { time in
            let machine = SimulatedMachine(.h200, published: nil, time: time)
            let cost = StepCost(alone: .milliseconds(10), further: .milliseconds(1))
            let steps = SharedSteps(machine, cost: cost, threads: 1, largestBatch: largestBatch)
            return await withTaskGroup(of: Duration.self) { group in
                for owner in 1...4 {
                    group.addTask {
                        try? await steps.step(QuantumRequest(Self.kind, .refill, owner: owner))
                        return time.now
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
    }

    @Test func `steps that wait for the device share the next run`() throws {
        // The first finds the device free; the three others wait, and one of them takes the others along.
        #expect(try ends(largestBatch: 16) == [10, 22, 22, 22].map { .milliseconds($0) })
        #expect(try ends(largestBatch: 2) == [10, 21, 21, 31].map { .milliseconds($0) })
    }

    @Test func `without sharing each step has its own run`() throws {
        #expect(try ends(largestBatch: 1) == [10, 20, 30, 40].map { .milliseconds($0) })
    }

    @Test func `nobody is taken along who was cancelled`() throws {
        let end = try VirtualTime.run { time in
            let machine = SimulatedMachine(.h200, published: nil, time: time)
            let cost = StepCost(alone: .milliseconds(10), further: .milliseconds(1))
            let steps = SharedSteps(machine, cost: cost, threads: 1, largestBatch: 16)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await steps.step(QuantumRequest(Self.kind, .refill, owner: 1)) }
                group.addTask { try? await steps.step(QuantumRequest(Self.kind, .refill, owner: 2)) }
                try? await time.sleep(until: .milliseconds(5))
                group.cancelAll()
            }
            return time.now
        }
        // A step under way runs to its end; the one that waited never began.
        #expect(end == .milliseconds(10))
    }
}
