/// What one stream gives to one step of the encoder: whole chunks of features, or the rest of a stream that ends.
struct EncoderChunk: Sendable, Equatable {
    /// Encoder frames that the step computes.
    var frames: Int
    /// Those of them that exist: fewer than ``frames`` only at the end of a stream.
    var validFrames: Int
    /// The first frame's number in its stream.
    var position: Int
    /// Frames of a chunk, whose frames see each other: lookahead + 1.
    var chunkFrames: Int
    /// Feature rows 8 · position − 8 up to 8 · (position + frames − 1), row-major; zeros before the stream and after it.
    var features: [Float]
    /// Feature rows of the stream so far, those before this chunk included, if it ends here; nil while it goes on.
    var featureRows: Int?

    /// Whether output `index` of the stream's convolution on `level` (1, 2 or 3) exists: not before the stream, not after
    /// its end. Rows that do not exist count as zeros on the next level, which padded features would not give.
    func exists(_ index: Int, level: Int) -> Bool {
        guard index >= 0 else { return false }
        guard var count = featureRows else { return true }
        for _ in 0..<level { count = count / 2 + 1 }
        return index < count
    }
}

/// Collects a stream's features and cuts them into chunks on the encoder's grid: frame t is computed from feature rows up to
/// 8 t, so the first chunk takes 1 + 8 · lookahead rows and each further one 8 · (lookahead + 1).
///
/// Source of the grid: NeMo `modules/conformer_encoder.py` (`setup_streaming_params`, 2.6.0rc0). A value: a fork copies it.
struct ChunkCutter: Sendable {
    private let bands: Int
    private let chunkFrames: Int
    /// Frames handed out so far.
    private(set) var position = 0
    /// Feature rows from 8 · position − 8 on.
    private var rows: [Float]
    /// Feature rows of the stream, those handed out included.
    private var received = 0

    /// Values of the rows that are kept.
    var heldValues: Int { rows.count }

    /// A cutter at the beginning of a stream.
    /// - Parameters:
    ///   - bands: values of a row.
    ///   - lookahead: frames that each chunk looks ahead.
    init(bands: Int, lookahead: Int) {
        self.bands = bands
        chunkFrames = lookahead + 1
        // Row −8 to row −1 of a stream are zeros.
        rows = [Float](repeating: 0, count: 8 * bands)
    }

    /// Takes rows; `count` is a multiple of the bands.
    mutating func append(_ features: [Float]) {
        rows += features
        received += features.count / bands
    }

    /// Encoder frames that are complete with so many feature rows.
    static func frames(of rows: Int) -> Int { rows > 0 ? (rows - 1) / 8 + 1 : 0 }

    /// Chunks that are complete.
    private var whole: Int {
        let available = rows.count / bands - 1
        return max(0, available / (8 * chunkFrames))
    }

    /// Takes the next complete chunks.
    /// - Parameter limit: frames of one step at most; at least one chunk is taken all the same.
    /// - Returns: nil when not even one is complete.
    mutating func next(limit: Int) -> EncoderChunk? {
        let chunks = min(whole, max(1, limit / chunkFrames))
        guard chunks > 0 else { return nil }
        // Few different sizes, so that few graphs are needed.
        let size = [16, 8, 4, 2, 1].first { $0 <= chunks } ?? 1
        return take(size * chunkFrames)
    }

    /// Takes what is left at the end of a stream: as many frames as the encoder gives for all its rows, ⌊rows / 8⌋ + 1.
    /// - Returns: nil when there are no frames left. Call after ``next(limit:)`` gave nil; the stream is then over.
    mutating func rest() -> EncoderChunk? {
        guard received > 0 else { return nil }
        var total = received
        for _ in 0..<3 { total = total / 2 + 1 }
        let valid = total - position
        guard valid > 0 else { return nil }
        let end = received
        let missing = (8 * chunkFrames + 1) * bands - rows.count
        if missing > 0 { rows += [Float](repeating: 0, count: missing) }
        var chunk = take(chunkFrames)
        chunk.validFrames = min(valid, chunkFrames)
        chunk.featureRows = end
        return chunk
    }

    private mutating func take(_ frames: Int) -> EncoderChunk {
        let features = Array(rows[0..<((8 * frames + 1) * bands)])
        rows.removeFirst(8 * frames * bands)
        defer { position += frames }
        return EncoderChunk(
            frames: frames,
            validFrames: frames,
            position: position,
            chunkFrames: chunkFrames,
            features: features
        )
    }
}
