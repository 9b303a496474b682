internal import Inference
internal import VoiceCore

/// The decoder as a whole: codes of some streams in, samples out; what streams keep lies in an arena, one slot each.
///
/// Not `Sendable`: it belongs to the actor that runs it.
final class NanoCodecDecoder {
    /// One stream's part in a step.
    struct Work: Sendable {
        /// The stream's slot. Each slot at most once in a step.
        var slot: Int
        /// For each frame a code of each codebook; all of a step have the same number of frames.
        var frames: [[Int32]]
    }

    /// Which operations compute.
    enum Path: Sendable {
        /// Our own loops where the device has them, else ggml's operations.
        case fastest
        /// ggml's operations.
        case plain
    }

    private struct Ports {
        var latents: GraphInput
        var slots: GraphInput
        var samples: GraphOutput
        var stages: [(name: String, output: GraphOutput)]
    }

    /// How large a run is.
    private struct Size: Hashable {
        var frames: Int
        var streams: Int
    }

    let h: NanoCodecHyperparameters
    private let stream: ComputeStream
    private let arena: StateArena
    private let layers: any NanoCodecLayers
    private let keepsStages: Bool
    private var graphs: GraphCache<Size, Ports>

    /// Loads the parameters and reserves the state.
    /// - Parameters:
    ///   - file: the model, whose dimensions are `h`.
    ///   - slots: streams that can exist at the same time.
    ///   - compute: where to run.
    ///   - path: which operations compute.
    ///   - graphs: sizes of steps whose graphs are kept.
    ///   - keepsStages: whether ``stages(_:)`` can be asked.
    /// - Throws: ``VoiceError/Code/malformedInput`` when a tensor is missing, or has another shape or type,
    ///   ``VoiceError/Code/exhausted`` when there is no room.
    init(
        _ file: GGUFFile,
        _ h: NanoCodecHyperparameters,
        slots: Int,
        on compute: ComputeStream,
        path: Path = .fastest,
        keepingGraphs graphs: Int = 8,
        keepsStages: Bool = false
    ) throws(VoiceError) {
        try NanoCodecLayout(h).check(file)
        self.h = h
        self.keepsStages = keepsStages
        stream = compute
        self.graphs = GraphCache(keeping: graphs)
        if path == .fastest, PackedKernels.areSupported(on: compute.device) {
            layers = try PackedNanoCodecLayers(file, h, on: compute.device)
        } else {
            layers = try PlainNanoCodecLayers(file, h, on: compute.device)
        }
        arena = try StateArena(CausalHiFiGAN.state(h), slots: slots, on: compute.device)
    }

    /// Makes a slot's stream a new one.
    func clear(_ slot: Int) { arena.clear(slot) }

    /// Computes one step of some streams and moves their state on.
    /// - Returns: for each stream its samples.
    /// - Throws: ``VoiceError/Code/fault`` for codes that are none, before anything is computed, and when the device fails or
    ///   computes what is no number; the streams' state is then undefined.
    func step(_ work: [Work]) throws(VoiceError) -> [[Float]] {
        guard let frames = work.first?.frames.count, frames > 0 else { return work.map { _ in [] } }
        let graph = try run(work, frames: frames)
        let samples = try graph.read(graph.ports.samples)
        guard samples.allSatisfy(\.isFinite) else {
            throw VoiceError(.fault, "The codec computed values that are not numbers. Its file may be damaged.")
        }
        let count = frames * h.samplesPerFrame
        return work.indices.map { Array(samples[($0 * count)..<(($0 + 1) * count)]) }
    }

    /// Like ``step(_:)`` for one stream, with the output of each stage: column by column, channels next to each other.
    func stages(_ work: Work) throws(VoiceError) -> [String: [Float]] {
        let graph = try run([work], frames: work.frames.count)
        var values: [String: [Float]] = [:]
        for stage in graph.ports.stages { values[stage.name] = try graph.read(stage.output) }
        return values
    }

    private func run(_ work: [Work], frames: Int) throws(VoiceError) -> Graph<Ports> {
        var latents: [Float] = []
        for item in work {
            guard item.frames.count == frames else {
                throw VoiceError(.fault, "Streams of \(item.frames.count) and \(frames) frames cannot step together.")
            }
            latents += try h.quantizer.latents(of: item.frames)
        }
        let size = Size(frames: frames, streams: work.count)
        let graph = try graphs.graph(for: size) { () throws(VoiceError) in try build(size) }
        try graph.write(latents, to: graph.ports.latents)
        try graph.write(indices: work.map { Int32($0.slot) }, to: graph.ports.slots)
        try graph.run()
        return graph
    }

    private func build(_ size: Size) throws(VoiceError) -> Graph<Ports> {
        try Graph(on: stream, capacity: 256 + 40 * h.activations.count) { g throws(VoiceError) in
            let latents = try g.input("latents", shape: [h.latents, size.frames, size.streams])
            let slots = try g.indices("slots", count: size.streams, below: arena.slots)
            let decoder = CausalHiFiGAN(h: h, layers: layers, arena: arena)
            let result = try decoder.build(g, latents.tensor, slots: slots.tensor)
            var stages: [(name: String, output: GraphOutput)] = []
            if keepsStages {
                for stage in result.stages { stages.append((stage.name, try g.output(stage.tensor, stage.name))) }
            }
            let samples = try g.output(result.samples, "samples")
            return Ports(latents: latents, slots: slots, samples: samples, stages: stages)
        }
    }
}
