internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// A finished transcript of a file, and the forms in which it is sent.
struct TranscriptionAnswer: Sendable {
    /// What was understood.
    var transcript: Transcript
    /// The recording's length.
    var duration: Duration
    /// The language that was asked for.
    var language: String?

    private var segments: [TranscriptSegment] { TranscriptSegment.segments(of: transcript, lasting: duration) }

    /// The whole response.
    func response(
        _ format: TranscriptionRequest.Format,
        _ granularities: [TranscriptionRequest.Granularity]
    ) -> Response {
        switch format {
        case .json: .json(Self.json(Plain(text: transcript.text, usage: usage)))
        case .verbose: .json(Self.json(verbose(granularities)))
        case .text: Self.plain(transcript.text + "\n", "text/plain")
        case .srt: Self.plain(srt, "application/x-subrip")
        case .vtt: Self.plain(vtt, "text/vtt")
        }
    }

    /// The last event of a stream.
    var done: ByteBuffer {
        Self.event(Done(text: transcript.text, usage: usage))
    }

    /// An event of a stream: a little more text.
    static func delta(_ text: String) -> ByteBuffer { event(Delta(delta: text)) }

    /// An event of the WHATWG's server-sent events, without a name as OpenAI sends it.
    static func event(_ body: some Encodable) -> ByteBuffer { event(json: json(body)) }

    /// An event with JSON that exists.
    static func event(json: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBuffer(string: "data: ")
        buffer.writeImmutableBuffer(json)
        buffer.writeString("\n\n")
        return buffer
    }

    // MARK: - JSON

    private struct Usage: Encodable {
        let type = "duration"
        var seconds: Double
    }

    private struct Plain: Encodable {
        var text: String
        var usage: Usage
    }

    private struct Delta: Encodable {
        let type = "transcript.text.delta"
        var delta: String
    }

    private struct Done: Encodable {
        let type = "transcript.text.done"
        var text: String
        var usage: Usage
    }

    private struct Verbose: Encodable {
        struct Segment: Encodable {
            var id: Int
            var start: Double
            var end: Double
            var text: String
        }
        struct Word: Encodable {
            var word: String
            var start: Double
            var end: Double
            var confidence: Double
        }
        let task = "transcribe"
        var language: String?
        var duration: Double
        var text: String
        var segments: [Segment]?
        var words: [Word]?
        var usage: Usage
    }

    private var usage: Usage { Usage(seconds: duration.wireSeconds) }

    private func verbose(_ granularities: [TranscriptionRequest.Granularity]) -> Verbose {
        var answer = Verbose(
            language: language,
            duration: duration.wireSeconds,
            text: transcript.text,
            usage: usage
        )
        // OpenAI's default is segments.
        if granularities.isEmpty || granularities.contains(.segment) {
            answer.segments = segments.enumerated().map { number, segment in
                Verbose.Segment(
                    id: number,
                    start: segment.start.wireSeconds,
                    end: segment.end.wireSeconds,
                    text: segment.text
                )
            }
        }
        if granularities.contains(.word) {
            answer.words = transcript.words.map { word in
                Verbose.Word(
                    word: word.text,
                    start: word.start.wireSeconds,
                    end: word.end.wireSeconds,
                    confidence: word.confidence.wireProbability
                )
            }
        }
        return answer
    }

    private static func json(_ body: some Encodable) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "infinity",
            negativeInfinity: "-infinity",
            nan: "nan"
        )
        return ByteBuffer(bytes: (try? encoder.encode(body)) ?? Data())
    }

    // MARK: - Subtitles

    /// SubRip: a number, the times with a comma, the text, an empty line.
    private var srt: String {
        segments.enumerated().map { number, segment in
            let times = "\(Self.time(segment.start, ",")) --> \(Self.time(segment.end, ","))"
            return "\(number + 1)\n\(times)\n\(segment.text)\n\n"
        }.joined()
    }

    /// WebVTT (W3C): as SubRip, with a head, full stops, and escaped text (section 3.2.1).
    private var vtt: String {
        "WEBVTT\n\n"
            + segments.map { segment in
                let times = "\(Self.time(segment.start, ".")) --> \(Self.time(segment.end, "."))"
                let text = segment.text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
                    .replacing(">", with: "&gt;")
                return "\(times)\n\(text)\n\n"
            }.joined()
    }

    /// `01:02:03,456`
    static func time(_ duration: Duration, _ separator: String) -> String {
        let milliseconds = Int(duration.milliseconds.rounded())
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let (hours, minutes, seconds) =
            (milliseconds / 3_600_000, milliseconds / 60_000 % 60, milliseconds / 1_000 % 60)
        return
            "\(padded(hours, 2)):\(padded(minutes, 2)):\(padded(seconds, 2))\(separator)\(padded(milliseconds % 1_000, 3))"
    }

    private static func plain(_ text: String, _ type: String) -> Response {
        let headers: HTTPHeaders = ["Content-Type": "\(type); charset=utf-8", "Cache-Control": "no-store"]
        return Response(.ok, headers: headers, body: ByteBuffer(string: text))
    }
}
