internal import Foundation
internal import VoiceCore

@testable internal import Transports

extension FuzzTarget {
    /// A client's RTVI texts, one a line, and the session that takes them.
    ///
    /// Claims: what is said is JSON; one message leads to few actions; what is heard is no longer than what came.
    static let rtvi = FuzzTarget(name: "rtvi", seeds: { seeds }) { bytes in
        var session = RTVISession(about: Wire.about, models: Wire.models)
        var now = Duration.zero
        for (number, line) in Texts.lines(bytes).enumerated() {
            let text = String(decoding: line, as: UTF8.self)
            var actions = session.receive(text, at: now, Date(timeIntervalSince1970: 0))
            if number == 1 { actions += session.begin() }
            now += .milliseconds(line.count * 10)
            actions += session.tick(at: now)
            // Fifty messages may have waited for the client.
            try claim(actions.count <= 64 + line.count / 2, "one message leads to few actions")
            for action in actions {
                switch action {
                case .say(let json):
                    try claim(JSONValue(json: json)?["label"]?.text == "rtvi-ai", "what is said is RTVI")
                case .hear(let samples, _): try claim(samples.count * 2 <= line.count, "what is heard has come")
                default: break
                }
            }
        }
    }

    private static var seeds: [[UInt8]] {
        let texts = Texts.rtvi.map { Array($0.utf8) }
        return texts + [Array(texts.joined(separator: [UInt8(ascii: "\n")]))]
    }
}

/// What sessions tell of themselves.
enum Wire {
    static let about = RTVIAbout(library: "repartee", version: "1.2.3")
    static let models = ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s")
}
