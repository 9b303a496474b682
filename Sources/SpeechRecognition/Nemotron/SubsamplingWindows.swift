/// Lays out the subsampling's inputs for one stream's chunk: the windows that the first level multiplies, and which rows
/// make up the third level's input.
struct SubsamplingWindows {
    let h: NemotronHyperparameters

    /// Appends the windows of a chunk: for each of its 4 · frames outputs of the first level and each padded frequency nine
    /// taps (time, then frequency), a 1 for the bias, zeros. Outputs that do not exist and padding are all zero, and so is
    /// then what the level gives for them.
    func append(_ chunk: EncoderChunk, to windows: inout [Float]) {
        let level = SubsamplingLevel(h, 1)
        let size = Subsampling.windowLength
        let begin = windows.count
        windows += [Float](repeating: 0, count: size * level.paddedFrequencies * 4 * chunk.frames)
        for output in 0..<(4 * chunk.frames)
        where chunk.exists(4 * chunk.position - 3 + output, level: 1) {
            for frequency in 0..<level.frequencies {
                let window = begin + size * (output * level.paddedFrequencies + frequency + 2)
                for time in 0..<3 {
                    let row = (2 * output + time) * h.melBands
                    for tap in 0..<3 {
                        let band = 2 * frequency + tap - 2
                        guard band >= 0, band < h.melBands else { continue }
                        windows[window + 3 * time + tap] = chunk.features[row + band]
                    }
                }
                windows[window + 9] = 1
            }
        }
    }

    /// Appends the rows of the third level's input: the second level's last output of the step before, then its new ones,
    /// each with two zeros before its frequencies and none or one after.
    /// - Parameters:
    ///   - stream: the chunk's place in the batch.
    ///   - streams: chunks in the batch.
    func appendLayout(_ chunk: EncoderChunk, stream: Int, of streams: Int, to layout: inout [Int32]) {
        let level = SubsamplingLevel(h, 2)
        let newRows = level.frequencies * 2 * chunk.frames
        let past = newRows * streams + level.frequencies * stream
        let zeros = (newRows + level.frequencies) * streams
        for time in 0...(2 * chunk.frames) {
            let exists = chunk.exists(2 * chunk.position - 2 + time, level: 2)
            let first = time == 0 ? past : newRows * stream + level.frequencies * (time - 1)
            for padded in 0..<level.paddedFrequencies {
                let frequency = padded - 2
                let isInside = exists && frequency >= 0 && frequency < level.frequencies
                layout.append(Int32(isInside ? first + frequency : zeros))
            }
        }
    }
}
