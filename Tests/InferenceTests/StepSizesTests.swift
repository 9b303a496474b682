internal import Inference
internal import Testing

/// How many streams step together.
@Suite struct StepSizesTests {
    @Test func `a CPU takes all that wait, up to a number`() {
        let sizes = StepSizes.every(upTo: 8)
        #expect((1...10).map(sizes.size) == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8])
        #expect(sizes.largest == 8)
    }

    @Test func `a GPU takes at least two thirds of those that wait, in few sizes`() {
        let sizes = StepSizes.few(upTo: 32)
        #expect((1...13).map(sizes.size) == [1, 2, 3, 4, 4, 6, 6, 8, 8, 8, 8, 12, 12])
        #expect((1...32).allSatisfy { 3 * sizes.size(for: $0) >= 2 * $0 })
        #expect(sizes.largest == 32 && sizes.count == 10)
        #expect(sizes.size(for: 1000) == 32)
    }

    @Test(arguments: [0, 1]) func `one at a time is a size, too`(largest: Int) {
        #expect(StepSizes.few(upTo: largest) == .every(upTo: 1))
    }
}
