/// Where one stream's keys and values lie in the caches, and which of them its new frames may see.
///
/// A slot's rows are a ring: frame t lies in row t mod left context. The graph reads them oldest first, so that distances are
/// what the table of positions expects, and writes the new frames over the oldest.
///
/// Source of the mask: NeMo `modules/conformer_encoder.py` (`_create_masks`, `chunked_limited`, 2.6.0rc0): a frame sees its
/// own chunk and the chunks before it that begin within the left context.
struct AttentionMemory {
    let leftContext: Int
    let slot: Int
    let chunk: EncoderChunk

    /// Appends the rows to read, the rows to write and the mask: one row of left context + frames values per new frame, 0
    /// for what it sees and −∞ for the rest.
    func append(past: inout [Int32], present: inout [Int32], mask: inout [Float]) {
        let (position, frames) = (chunk.position, chunk.frames)
        for frame in (position - leftContext)..<position { past.append(row(frame)) }
        for frame in position..<(position + frames) { present.append(row(frame)) }
        for query in 0..<frames {
            let begin = position + query / chunk.chunkFrames * chunk.chunkFrames
            let seen = max(0, begin - leftContext)..<(begin + chunk.chunkFrames)
            let valid = position + chunk.validFrames
            for key in (position - leftContext)..<(position + frames) {
                mask.append(seen.contains(key) && key < valid ? 0 : -.infinity)
            }
        }
    }

    private func row(_ frame: Int) -> Int32 {
        // Frames before the stream have rows too: masked, and zero since the slot was cleared.
        let place = frame % leftContext
        return Int32(slot * leftContext + (place < 0 ? place + leftContext : place))
    }
}
