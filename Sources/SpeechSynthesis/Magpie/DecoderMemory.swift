internal import Inference
internal import VoiceCore

/// What the decoder keeps of each stream: keys and values of its positions, with and without text, and those of the text.
///
/// A stream's seat has two runs of rows: even for the positions with the text and the voice before them, odd for those
/// without. What comes before the latter's frames is the same for all streams and computed once: it lies in a run of its
/// own, which they share. Rows are written before they are read, so nothing is ever cleared.
struct DecoderMemory {
    let h: MagpieHyperparameters
    private let positions: StateArena
    private let texts: StateArena
    private let seats: Int

    /// Reserves the memory; what no stream has used yet is not touched.
    /// - Parameters:
    ///   - seats: streams at the same time.
    ///   - type: F32 or F16.
    init(_ h: MagpieHyperparameters, seats: Int, type: ElementType, on device: Device) throws(VoiceError) {
        self.h = h
        self.seats = seats
        func matrices(_ width: Int, _ rows: Int, _ type: ElementType) -> [StateArena.Matrix] {
            (0..<h.decoderLayers).flatMap { layer in
                ["keys", "values"].map {
                    StateArena.Matrix("\($0).\(layer)", rowLength: width, rowsPerSlot: rows, type: type)
                }
            }
        }
        positions = try StateArena(matrices(h.width, h.capacity, type), slots: 2 * seats + 1, on: device)
        // In F32: read by ggml's own operations, which want that.
        texts = try StateArena(matrices(h.crossWidth, h.maximumText, .f32), slots: seats, on: device)
    }

    /// Rows of a key or value cache of positions.
    var rows: Int { (2 * seats + 1) * h.capacity }

    /// Rows of a key or value cache of texts.
    var textRows: Int { seats * h.maximumText }

    func keys(_ layer: Int) throws(VoiceError) -> Tensor { try positions.matrix("keys.\(layer)") }
    func values(_ layer: Int) throws(VoiceError) -> Tensor { try positions.matrix("values.\(layer)") }
    func textKeys(_ layer: Int) throws(VoiceError) -> Tensor { try texts.matrix("keys.\(layer)") }
    func textValues(_ layer: Int) throws(VoiceError) -> Tensor { try texts.matrix("values.\(layer)") }

    /// Where a position of a stream looks, and where it is kept.
    /// - Parameters:
    ///   - position: counted from the first vector of the voice.
    ///   - isConditional: whether it has the text and the voice.
    func span(seat: Int, position: Int, isConditional: Bool) -> CacheSpan {
        guard isConditional else {
            let start = (2 * seat + 1) * h.capacity
            return CacheSpan(shared: beginning, own: start..<(start + position - h.contextLength + 1))
        }
        let start = 2 * seat * h.capacity
        return CacheSpan(own: start..<(start + position + 1))
    }

    /// Where a position before the frames looks that has neither text nor voice.
    func sharedSpan(position: Int) -> CacheSpan {
        CacheSpan(own: beginning.lowerBound..<(beginning.lowerBound + position + 1))
    }

    /// Rows of a text; those that pad it are its first, for others may never have been written.
    func textRows(seat: Int, _ count: Int, padded: Int) -> [Int32] {
        (0..<padded).map { Int32(seat * h.maximumText + ($0 < count ? $0 : 0)) }
    }

    private var beginning: Range<Int> {
        let start = 2 * seats * h.capacity
        return start..<(start + h.contextLength)
    }
}
