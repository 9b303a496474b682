internal import Audio
internal import Foundation
internal import Transports
internal import VoiceCore

/// A person at another implementation of WebRTC, `Benchmarks/peers/talk` of the checkout that this binary was built in.
struct Talker {
    /// What it recorded, and where each question was spoken in it.
    struct Recording {
        /// Left the person, right the agent, on the talker's clock.
        var file: WAVFile
        var spoken: [FileTransport.Spoken]
        /// The most that its microphone was late, in milliseconds.
        var lag: Double

        /// Writes it to another file.
        func write(path: String) throws(VoiceError) {
            guard let person = file.channels.first, let agent = file.channels.last else { return }
            var writer = try WAVWriter(path: path, rate: file.rate, channels: 2)
            try writer.append(left: person, right: agent)
            try writer.finish()
        }
    }

    private struct Report: Decodable {
        var questions: [Double]
        var lag_ms: Double
    }

    private let program: URL
    private let folder: URL
    private let questions: [(path: String, audible: Duration?)]

    /// Writes the questions into a folder of its own.
    ///
    /// - Throws: `missingInput` without a checkout, `usage` or `exhausted` when the files cannot be written.
    init(_ questions: [(samples: [Float], rate: SampleRate)]) throws(VoiceError) {
        program = try CheckoutProgram.url("Benchmarks/peers/talk", doing: "people to talk to by WebRTC")
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("repartee-talk-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw VoiceError(.usage, "\(folder.path) cannot be made", cause: error)
        }
        var written: [(path: String, audible: Duration?)] = []
        for (index, question) in questions.enumerated() {
            let samples = Resampler.convert(question.samples, from: question.rate, to: .wideband)
            let path = folder.appendingPathComponent("question-\(index + 1).wav").path
            var writer = try WAVWriter(path: path, rate: .wideband)
            try writer.append(samples)
            try writer.finish()
            let audible = SpeechEdge.last(in: samples).map { SampleRate.wideband.duration(ofSamples: $0 + 1) }
            written.append((path, audible))
        }
        self.questions = written
    }

    /// Removes the files.
    func remove() { try? FileManager.default.removeItem(at: folder) }

    /// Holds the conversation in real time.
    ///
    /// - Parameter address: host and port of the server.
    /// - Throws: `unavailable` when the conversation fails; the program has said why.
    func talk(to address: String) async throws(VoiceError) -> Recording {
        let (sound, report) = (folder.appendingPathComponent("talk.wav"), folder.appendingPathComponent("talk.json"))
        let arguments = [address, "--out", sound.path, "--report", report.path] + questions.map(\.path)
        let status = try await CheckoutProgram.run(program, arguments)
        guard status == 0 else {
            throw VoiceError(.unavailable, "the conversation by WebRTC failed, as said above")
        }
        do {
            let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: report))
            let spoken = zip(report.questions, questions).map { begin, question in
                let start = Duration.seconds(begin)
                return FileTransport.Spoken(start: start, end: question.audible.map { start + $0 })
            }
            return Recording(file: try WAVFile.read(path: sound.path), spoken: spoken, lag: report.lag_ms)
        } catch {
            throw VoiceError.wrapping(error, doing: "the talker's report could not be read")
        }
    }
}
