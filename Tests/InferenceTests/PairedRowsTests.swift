internal import Testing
internal import VoiceCore

@testable internal import Inference

/// What keeps CUDA's products from ending the process; whether it does is `repartee bench asr`'s matter on such a device.
@Suite struct PairedRowsTests {
    /// Attention at lookahead 0: 70 earlier frames and the new one; the shares of the earlier ones are 71 elements apart.
    @Test(arguments: [(71, 0..<70, false), (72, 0..<70, true), (71, 0..<69, true), (72, 70..<72, true)])
    func `rows of an even length at odd distances are told apart`(length: Int, part: Range<Int>, paired: Bool) throws {
        _ = try compute([([length, 1, 4], [Float](repeating: 1, count: length * 4))]) { g, t throws(VoiceError) in
            let slice = try g.slice(t[0], dimension: 0, part)
            #expect(slice.hasPairedRows == paired)
            let closed = try g.contiguous(slice)
            #expect(closed.hasPairedRows)
            return closed
        }
    }
}
