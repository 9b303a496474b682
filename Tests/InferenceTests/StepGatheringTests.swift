internal import Inference
internal import Testing

/// Streams that come together for a step.
@Suite struct StepGatheringTests {
    @Test(arguments: [(present: 1, looks: 1), (present: 3, looks: 3), (present: 100, looks: 8)])
    func `who leads looks eight times for others, or until they are there`(present: Int, looks: Int) async {
        var count = 0
        await waitForOthers(atMost: .microseconds(80)) {
            count += 1
            return count < present
        }
        #expect(count == looks)
    }
}
