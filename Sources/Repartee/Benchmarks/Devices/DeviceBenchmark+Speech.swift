internal import Inference
internal import SpeechSynthesis
internal import VoiceCore

/// Voices and codecs on every device.
extension DeviceBenchmark {
    /// Magpie's decoder and local transformer, against the CPU's in F32.
    func voice(_ model: String, _ devices: [Device]) throws -> [Row] {
        let path = try global.store.resolve(model)
        func run(_ device: Device, _ precision: MagpiePrecision) throws(VoiceError) -> MagpieForcedRun {
            try MagpieModel.forcedRun(
                path: path,
                on: device,
                threads: threads,
                precision: precision,
                text: Self.textTokens,
                frames: steps
            )
        }
        let expected = try run(devices[0], .single)
        return try devices.map { device in
            let forced = try run(device, .eightBit)
            return Row(
                engine: "tts",
                model: model,
                device: device.description,
                error: ResultError(forced.hidden, expected.hidden),
                scores: ResultError(forced.scores, expected.scores),
                beginning_ms: forced.beginning.milliseconds,
                step_ms: LatencyFigures(forced.frames.dropFirst().map(\.milliseconds)),
                local_ms: LatencyFigures(forced.local.dropFirst().map(\.milliseconds))
            )
        }
    }

    /// A codec's samples, against the CPU's.
    func codec(_ model: String, _ devices: [Device]) async throws -> [Row] {
        let path = try global.store.resolve(model)
        var reference: [Float]?
        var rows: [Row] = []
        for device in devices {
            let configuration = NanoCodec.Configuration(streams: 1, threads: threads, device: device)
            let codec = try await NanoCodec(path: path, configuration: configuration)
            let stream = try await codec.openStream()
            var dice = SplitMix64(seed: 1)
            let clock = SystemClock()
            var (samples, times): ([Float], [Double]) = ([], [])
            for _ in 0..<steps {
                let codes = (0..<codec.codebooks).map { _ in Int32(dice.next() % UInt64(codec.codebookSize)) }
                let start = clock.now
                samples += try await stream.decode([codes])
                times.append((clock.now - start).milliseconds)
            }
            let expected = reference ?? samples
            reference = expected
            rows.append(
                Row(
                    engine: "codec",
                    model: model,
                    device: device.description,
                    error: ResultError(samples, expected),
                    step_ms: LatencyFigures(times)
                )
            )
        }
        return rows
    }

    /// Tokens of a voice's text.
    private static let textTokens = 80
}
