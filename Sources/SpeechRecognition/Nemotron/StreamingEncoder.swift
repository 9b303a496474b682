internal import Inference
internal import VoiceCore

/// The encoder as a whole: features of some streams in, encoder frames out, all streams in one run; what streams keep lies
/// in an arena, one slot each.
///
/// Not `Sendable`: it belongs to the actor that runs it.
final class StreamingEncoder {
    /// One stream's part in a step.
    struct Work {
        /// The stream's slot. Each slot at most once in a step.
        var slot: Int
        /// What to compute; all of a step have the same number of frames.
        var chunk: EncoderChunk
        /// The language's number; ignored by models without languages.
        var prompt: Int
    }

    /// What a step gave for one stream.
    struct Result {
        /// The encoder's output, conditioned on the language where the model does that: one row of the width per frame;
        /// empty unless it was asked for.
        var frames: [[Float]] = []
        /// The same seen by the joint network: one row of its width per frame.
        var projected: [[Float]]
    }

    private struct Ports {
        var subsampling: Subsampling.Ports
        var slots: GraphInput
        var past: GraphInput
        var present: GraphInput
        var mask: GraphInput
        var prompt: GraphInput?
        var frames: GraphOutput
        var projected: GraphOutput
    }

    /// How large a run is.
    private struct Size: Hashable {
        var frames: Int
        var streams: Int
    }

    let h: NemotronHyperparameters
    /// Frames of one stream in one step at most.
    let maximumFrames: Int
    private let stream: ComputeStream
    private let weights: NemotronWeights
    private let arena: StateArena
    private var graphs: GraphCache<Size, Ports>

    /// Frames of one stream in one step: enough to make several chunks of a file, or of a stream that has fallen behind,
    /// with one look at the weights.
    private static let wantedFrames = 28

    /// Loads the weights and reserves the state.
    /// - Parameters:
    ///   - file: the model.
    ///   - slots: streams that can exist at the same time.
    ///   - compute: where to run.
    init(
        _ file: GGUFFile,
        _ h: NemotronHyperparameters,
        slots: Int,
        on compute: ComputeStream
    ) throws(VoiceError) {
        self.h = h
        stream = compute
        // On a GPU there are twelve sizes of a step, and chunks of more than one length.
        graphs = GraphCache(keeping: compute.device.kind == .cpu ? 8 : 24)
        // The caches are written once per step and row.
        maximumFrames = min(h.leftContext, max(Self.wantedFrames, h.maximumLookahead + 1))
        weights = try NemotronWeights(file, h, maximumFrames: maximumFrames, on: compute.device)
        // Half precision for keys and values where the weights are no better: 7 MB instead of 14 per stream.
        let isExact = try file.tensor(named: "encoder.layers.0.self_attn.linear_k.weight").type == .f32
        let state = Subsampling.state(h) + ConformerLayer.state(h, caches: isExact ? .f32 : .f16)
        arena = try StateArena(state, slots: slots, on: compute.device)
    }

    /// Makes a slot's stream a new one.
    func clear(_ slot: Int) { arena.clear(slot) }

    /// Makes the stream in `target` equal to that in `source`.
    func copy(_ source: Int, to target: Int) { arena.copy(source, to: target) }

    /// Computes one step of some streams and moves their state on.
    /// - Parameters:
    ///   - work: the streams' parts.
    ///   - keepsFrames: whether the results have the encoder's output itself, which decoding does not need.
    /// - Throws: ``VoiceError/Code/fault`` when the device fails; the streams' state is then undefined.
    func step(_ work: [Work], keepingFrames keepsFrames: Bool = false) throws(VoiceError) -> [Result] {
        guard let frames = work.first?.chunk.frames else { return [] }
        let size = Size(frames: frames, streams: work.count)
        let graph = try graphs.graph(for: size) { () throws(VoiceError) in try build(size) }
        try write(work, to: graph)
        try graph.run()
        let projected = try graph.read(graph.ports.projected)
        guard projected.allSatisfy(\.isFinite) else {
            throw VoiceError(.fault, "The recogniser computed values that are not numbers. Its file may be damaged.")
        }
        let encoded = keepsFrames ? try graph.read(graph.ports.frames) : []
        return work.indices.map { index in
            let rows = (index * frames)..<(index * frames + work[index].chunk.validFrames)
            func cut(_ values: [Float], _ width: Int) -> [[Float]] {
                rows.map { Array(values[($0 * width)..<(($0 + 1) * width)]) }
            }
            return Result(
                frames: keepsFrames ? cut(encoded, h.width) : [],
                projected: cut(projected, h.jointWidth)
            )
        }
    }

    private func write(_ work: [Work], to graph: Graph<Ports>) throws(VoiceError) {
        let layout = SubsamplingWindows(h: h)
        var (windows, mask, prompt): ([Float], [Float], [Float]) = ([], [], [])
        var (rows, past, present): ([Int32], [Int32], [Int32]) = ([], [], [])
        for (index, item) in work.enumerated() {
            let memory = AttentionMemory(leftContext: h.leftContext, slot: item.slot, chunk: item.chunk)
            layout.append(item.chunk, to: &windows)
            layout.appendLayout(item.chunk, stream: index, of: work.count, to: &rows)
            memory.append(past: &past, present: &present, mask: &mask)
            guard h.prompts > 0 else { continue }
            var choice = [Float](repeating: 0, count: h.prompts)
            if choice.indices.contains(item.prompt) { choice[item.prompt] = 1 }
            for _ in 0..<item.chunk.frames { prompt += choice }
        }
        let ports = graph.ports
        try graph.write(windows, to: ports.subsampling.windows)
        try graph.write(indices: rows, to: ports.subsampling.layout)
        try graph.write(indices: work.map { Int32($0.slot) }, to: ports.slots)
        try graph.write(indices: past, to: ports.past)
        try graph.write(indices: present, to: ports.present)
        try graph.write(mask, to: ports.mask)
        if let input = ports.prompt { try graph.write(prompt, to: input) }
    }

    private func build(_ size: Size) throws(VoiceError) -> Graph<Ports> {
        try Graph(on: stream, capacity: 64 + 128 * h.layers) { g throws(VoiceError) in
            let (frames, streams) = (size.frames, size.streams)
            let rows = h.leftContext * arena.slots
            let slots = try g.indices("slots", count: streams, below: arena.slots)
            let past = try g.indices("past", count: h.leftContext * streams, below: rows)
            let present = try g.indices("present", count: frames * streams, below: rows)
            let mask = try g.input("mask", shape: [h.leftContext + frames, frames, 1, streams])
            let step = ConformerLayer.Step(
                frames: frames,
                streams: streams,
                slots: slots.tensor,
                past: past.tensor,
                present: present.tensor,
                mask: mask.tensor
            )
            let first = Subsampling(h: h, weights: weights, arena: arena)
            var (subsampling, x) = try first.build(g, frames: frames, slots: slots.tensor, streams: streams)
            for layer in 0..<h.layers {
                x = try ConformerLayer(index: layer, h: h, weights: weights, arena: arena).build(g, x, step)
            }
            let prompt = try prompt(g, &x)
            let projected = try weights.linear(g, x, "joint.enc")
            return Ports(
                subsampling: subsampling,
                slots: slots,
                past: past,
                present: present,
                mask: mask,
                prompt: prompt,
                frames: try g.output(x, "frames"),
                projected: try g.output(projected, "projected")
            )
        }
    }

    /// Conditions the frames on a language, where the model does that: the frame and the language as a unit vector go
    /// through two linear maps with a ReLU between them.
    ///
    /// Source: NVIDIA/NeMo-Speech.cpp @ 4f9676226, `src/asr/decoders/rnnt_modules.cpp` (`PromptFusionModule`).
    private func prompt(_ g: GraphBuilder, _ x: inout Tensor) throws(VoiceError) -> GraphInput? {
        guard h.prompts > 0 else { return nil }
        let input = try g.input("prompt", shape: [h.prompts, x.shape[1]])
        let inner = try weights.linear(g, g.concat(x, input.tensor, dimension: 0), "prompt_kernel.0")
        x = try weights.linear(g, g.relu(inner), "prompt_kernel.2")
        return input
    }
}
