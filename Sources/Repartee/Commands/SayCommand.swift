internal import ArgumentParser
internal import Audio
internal import VoiceCore

/// Text to speech.
struct SayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "say",
        abstract: "Text to speech; plays nothing by itself."
    )

    private struct Result: Encodable {
        var voice: String
        var seconds: Double
        var ttfb_ms: Double
        var rtf: Double
        var out: String?
    }

    @OptionGroup var global: GlobalOptions

    @Option(name: .customLong("config"), help: "A YAML file with settings, of which those of the voice are followed.")
    var settingsFile: String?

    @Argument(help: "What to say.")
    var text: String?

    @Option(help: "The voice, see --list-voices; without it that of the settings.")
    var voice: String?

    @Flag(help: "Print the voices that there are, and say nothing.")
    var listVoices = false

    @Option(help: "A WAV file for the speech.")
    var out: String?

    @Flag(help: "Print the figures as one JSON object.")
    var json = false

    func run() async throws {
        if listVoices {
            for (name, about) in VoiceChoice.all { StandardOutput.write("\(name.padded(to: 10)) \(about)\n") }
            return
        }
        guard let text else { throw VoiceError(.usage, "give a text to say") }
        var settings = Settings()
        if let settingsFile { settings = try SettingsFile.read(path: settingsFile) }
        if let voice { settings.voice.name = voice }
        let synthesizer = try await EngineRoom(store: global.store, settings: settings).synthesizer(streams: 1)
        let clock = SystemClock()
        let start = clock.now
        var firstAudio: Duration?
        var samples: [Float] = []
        for try await chunk in synthesizer.speak(text) {
            if firstAudio == nil, !chunk.samples.isEmpty { firstAudio = clock.now - start }
            samples += chunk.samples
        }
        let elapsed = clock.now - start
        guard let firstAudio else { throw VoiceError(.malformedInput, "there is nothing to say in '\(text)'") }
        if let out {
            var writer = try WAVWriter(path: out, rate: synthesizer.sampleRate)
            try writer.append(samples)
            try writer.finish()
        }
        let length = synthesizer.sampleRate.duration(ofSamples: samples.count)
        let result = Result(
            voice: synthesizer.name,
            seconds: length.milliseconds / 1000,
            ttfb_ms: firstAudio.milliseconds,
            rtf: elapsed / length,
            out: out
        )
        if json {
            try StandardOutput.write(json: result)
        } else {
            let place = out.map { " in \($0)" } ?? " (not kept: give --out FILE.wav)"
            StandardOutput.write(
                "\(rounded(result.seconds)) s of speech\(place), first audio after \(rounded(result.ttfb_ms)) ms\n"
            )
        }
    }

    private func rounded(_ value: Double) -> String { String((value * 100).rounded() / 100) }
}
