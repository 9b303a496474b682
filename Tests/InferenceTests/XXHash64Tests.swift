internal import Foundation
internal import Inference
internal import Testing

@Suite struct XXHash64Tests {
    /// Source: the Python package xxhash 4.1.0 (`xxhash.xxh64(data).hexdigest()`), which wraps Cyan4973's own code.
    @Test(
        arguments: [
            (0, 0xEF46_DB37_51D8_E999), (1, 0x1F25_C8D0_BC1F_4BB6), (3, 0x31D2_363F_52E5_64C9),
            (4, 0x9BB6_4B7D_66EE_9FDA), (7, 0x9A7B_1499_59CE_60D8), (8, 0xDAB9_9D95_C6F9_0092),
            (31, 0xA2AA_5F33_CC4A_6119), (32, 0x23C3_C17E_F790_FD97), (33, 0x50A7_CFC7_BA58_8784),
            (63, 0x5E3E_54B4_31C7_493C), (64, 0x0EB6_4B3E_F6EE_B01F), (100, 0xA61F_8D4C_170F_E531),
            (1000, 0x5F23_5FA0_33F1_A3FB),
        ] as [(Int, UInt64)]
    )
    func `it is the hash of the reference`(length: Int, hash: UInt64) {
        let data = Data((0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) })
        #expect(XXHash64.hash(data) == hash)
        // A slice is hashed by its content.
        #expect(XXHash64.hash((Data([1, 2, 3]) + data).dropFirst(3)) == hash)
    }
}
