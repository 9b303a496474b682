internal import Testing
internal import VoiceCore

@testable internal import Redis

@Suite struct RedisAddressTests {
    @Test(arguments: [
        ("redis://localhost", "redis://localhost:6379/0", nil, nil),
        ("redis://10.0.0.5:7000/3", "redis://10.0.0.5:7000/3", nil, nil),
        ("REDISS://h", "rediss://h:6379/0", nil, nil),
        ("redis://worker:pass%40word@h:1/", "redis://h:1/0", "worker", "pass@word"),
        ("redis://:secret@h", "redis://h:6379/0", nil, "secret"),
        ("redis://secret@h", "redis://h:6379/0", nil, "secret"),
        ("redis://[::1]:6380", "redis://[::1]:6380/0", nil, nil),
    ])
    func `an address says where, as whom and which database`(
        text: String,
        shown: String,
        user: String?,
        password: String?
    ) throws {
        let address = try RedisAddress(text, from: "cluster.redis")
        #expect("\(address)" == shown)
        #expect(address.user == user)
        #expect(address.password == password)
    }

    @Test(arguments: [
        "", "localhost", "localhost:6379", "http://h", "redis://", "redis://h:0", "redis://h:70000", "redis://h/x",
        "redis://h/-1", "redis://h/1/2", "redis://h/٣", "redis://h?x=y", "redis://h#1", "redis://user:@h",
        "redis://user:hunter/2@h", "hunter2:word@h", "redis://h/99999999999999999999", "redis://a b",
    ])
    func `anything else is refused, naming where it was given and showing none of it`(text: String) {
        let error = #expect(throws: VoiceError.self) { try RedisAddress(text, from: "cluster.redis") }
        #expect(error?.code == .usage)
        #expect(error?.message.hasPrefix("cluster.redis ") == true)
        #expect(error?.message.contains("hunter") == false)
    }

    @Test func `a server is greeted with what it has to know`() throws {
        func greeting(_ text: String) throws -> [[String]] { try RedisAddress(text, from: "").greeting }
        #expect(try greeting("redis://h") == [["PING"]])
        #expect(try greeting("redis://:p@h") == [["AUTH", "p"], ["PING"]])
        #expect(try greeting("redis://u:p@h/2") == [["AUTH", "u", "p"], ["SELECT", "2"], ["PING"]])
    }
}
