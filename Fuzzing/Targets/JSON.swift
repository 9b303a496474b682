internal import VoiceCore

extension FuzzTarget {
    /// JSON text: what WebRTC's signalling, `/start` and everything below the RTVI and telephony targets is read with.
    ///
    /// Claims: what is read is written and read as the same.
    static let json = FuzzTarget(name: "json", seeds: { Texts.json.map { Array($0.utf8) } }) { bytes in
        guard let value = JSONValue(json: String(decoding: bytes, as: UTF8.self)) else { return }
        try claim(JSONValue(json: value.json) == value, "a value is the same after writing and reading")
        _ = (value["sdp"]?.text, value["pc_id"]?.text, value["restart_pc"]?.flag, value["n"]?.whole)
    }
}

/// Texts to begin with.
enum Texts {
    static let json = [
        #"{"sdp":"v=0\r\n","type":"offer","pc_id":null,"restart_pc":false}"#,
        #"{"pc_id":"webrtc-1","candidates":[{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","sdp_mid":"0"}]}"#,
        #" [ 0 , -1.5e+10 , true , false , null , "\u00e9\ud83c\udf99\/\\\"\b\f\n\r\t" , {} , [ ] ] "#,
        #"9007199254740993"#, #"{"a":{"b":[[[["c"]]]]},"a":1e-400}"#,
    ]

    static func rtvi(_ type: String, _ data: String) -> String {
        #"{"label":"rtvi-ai","type":"\#(type)","id":"1","data":\#(data)}"#
    }

    static let rtvi = [
        rtvi("client-ready", #"{"version":"2.1.0","about":{"library":"x"}}"#),
        rtvi("client-ready", #"{"version":"1.0.0"}"#),
        rtvi("send-text", #"{"content":"hello","options":{"run_immediately":false,"audio_response":true}}"#),
        rtvi("dtmf", ##"{"buttons":["1","#"]}"##), rtvi("dtmf", #"{"button":"5"}"#), rtvi("disconnect-bot", "null"),
        rtvi("client-message", #"{"t":"what","d":[1,2]}"#),
        rtvi("llm-function-call-result", #"{"function_name":"f","tool_call_id":"c","arguments":{},"result":1}"#),
        rtvi("raw-audio", #"{"base64Audio":"AAEAAg==","sampleRate":16000,"numChannels":2}"#),
        rtvi("raw-audio-batch", #"{"base64AudioBatch":["AAE=","AAI="],"sampleRate":8000,"numChannels":1}"#),
        "ping: 1234", #"{"type":"signalling","message":{"type":"trackStatus","receiver_index":0,"enabled":true}}"#,
    ]

    static let telephony = [
        [
            #"{"event":"connected","protocol":"Call"}"#,
            #"{"event":"start","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1","mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}"#,
            #"{"event":"media","media":{"track":"inbound","payload":"/v8A"}}"#,
            #"{"event":"dtmf","dtmf":{"digit":"5"}}"#,
            #"{"event":"mark","mark":{"name":"1"}}"#, #"{"event":"stop"}"#,
        ],
        [
            #"{"event":"start","stream_id":"s","start":{"call_control_id":"c","media_format":{"encoding":"PCMA","sample_rate":8000}}}"#,
            #"{"event":"media","media":{"payload":"1NU="}}"#, #"{"event":"mark","mark":{"name":"2"}}"#,
        ],
        [
            #"{"event":"start","start":{"streamId":"s","callId":"c","accountId":"a"}}"#,
            #"{"event":"media","media":{"payload":"/w=="}}"#, #"{"event":"playedStream","name":"1"}"#,
            ##"{"event":"dtmf","dtmf":{"digit":"#"}}"##,
        ],
    ]

    static let browser = [
        #"{"type":"hello","version":1,"microphone":{"sample_rate":16000},"playout":{"sample_rate":48000}}"#,
        #"{"type":"played","epoch":3,"samples":9600}"#, #"{"type":"text","text":" hello 🎙 "}"#,
        #"{"type":"ping","t":12.5}"#, #"{"type":"interrupt"}"#, #"{"type":"bye"}"#, #"{"type":"later"}"#,
    ]

    /// The messages of one input: a line each.
    static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 200, omittingEmptySubsequences: false).map { Array($0) }
    }
}
