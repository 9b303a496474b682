internal import Foundation
internal import VoiceCore
internal import WebRTC

@testable internal import Transports

extension FuzzTarget {
    /// What a client says on its data channel, the page's or another one, with the agent's news and pauses between.
    ///
    /// Claims: what is said is JSON; one event leads to few actions; a page that has not said `hello` hears nothing, and binary messages end a
    /// page's call.
    static let channel = FuzzTarget(name: "channel", seeds: { seeds }) { bytes in
        var input = FuzzInput(bytes)
        var dialogue = ChannelDialogue(about: Wire.about, models: Wire.models, helloTimeout: .seconds(10))
        let isPage = input.byte() & 1 == 0
        var now = Duration.zero
        var isDeaf = isPage
        dialogue.open(DataChannelParameters(label: isPage ? "repartee" : "chat"), at: now)
        let date = Date(timeIntervalSince1970: 0)
        while !input.isAtEnd {
            let event = input.byte() % 6
            let actions: [ChannelDialogue.Action]
            switch event {
            case 0, 1: actions = dialogue.receive(.text(String(decoding: input.block(), as: UTF8.self)), at: now, date)
            case 2:
                let block = input.block()
                actions = dialogue.receive(.binary(block), at: now, date)
                let ends = actions.contains { if case .end = $0 { true } else { false } }
                try claim(ends || !isPage, "a page's sound has its track")
            case 3:
                now += input.pause()
                actions = dialogue.tick(at: now)
            case 4: actions = dialogue.handle(.userTranscript(turn: 1, text: "words", isFinal: true), at: date)
            default:
                actions = dialogue.begin(
                    .ready(Welcome(session: "1", models: Wire.models), playout: SampleRate(24_000))
                )
            }
            // Fifty messages may have waited for the client.
            try claim(actions.count <= 64 + bytes.count / 2, "an event leads to few actions")
            for action in actions {
                switch action {
                case .begin: isDeaf = false
                case .say(let json):
                    try claim(JSONValue(json: json) != nil, "what is said is JSON")
                    try claim(!isDeaf, "a page hears nothing before its hello")
                case .end: return
                case .deliver: break
                }
            }
        }
    }

    private static var seeds: [[UInt8]] {
        let hello = #"{"type":"hello","version":1,"microphone":{"sample_rate":48000},"playout":{"sample_rate":24000}}"#
        let page = [
            hello, #"{"type":"text","text":"Hi"}"#, #"{"type":"ping","t":1}"#, #"{"type":"interrupt"}"#,
            #"{"type":"bye"}"#,
        ]
        func talk(_ label: UInt8, _ texts: [String]) -> [UInt8] {
            var bytes = [label, 5, 4, 3, 10]
            for text in texts { bytes += [0] + FuzzInput.block(Array(text.utf8)) + [3, 200] }
            return bytes
        }
        return [
            talk(0, page), talk(0, Texts.browser), talk(1, Texts.rtvi), [0, 2] + FuzzInput.block([1, 2, 3, 4]),
            [0, 3, 0xff],
        ]
    }
}
