internal import Testing
internal import VoiceCore

@testable internal import WebSocketClient

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("ws://localhost:8080", "localhost", 8080, "/", false),
        ("wss://asr.example.org", "asr.example.org", 443, "/", true),
        ("http://10.0.0.5/asr?key=a%20b", "10.0.0.5", 80, "/asr?key=a%20b", false),
        ("HTTPS://h:444/", "h", 444, "/", true), ("ws://[::1]:8080/x", "::1", 8080, "/x", false),
    ])
    func `an address has a host, a port, a path and perhaps TLS`(
        text: String,
        host: String,
        port: Int,
        path: String,
        isSecure: Bool
    ) throws {
        let address = try ServerAddress(text, from: "NVIDIA_ASR_URL")
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.path == path)
        #expect(address.isSecure == isSecure)
    }

    @Test(arguments: [
        "", "localhost:8080", "ftp://h", "ws://", "ws://user:secret@h", "ws://h:0", "ws://h:99999", "ws:h",
    ])
    func `anything else is refused, naming where it was given`(text: String) {
        let error = #expect(throws: VoiceError.self) { try ServerAddress(text, from: "NVIDIA_ASR_URL") }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("NVIDIA_ASR_URL") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func `what may be secret is not shown`() throws {
        #expect(try "\(ServerAddress("https://[::1]/asr?key=secret", from: "x"))" == "wss://[::1]:443")
    }
}
