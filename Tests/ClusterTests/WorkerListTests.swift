internal import Redis
internal import Testing
internal import VoiceCore

@testable internal import Cluster

@Suite struct WorkerListTests {
    private static let status = WorkerStatus(
        worker: "a-1_B",
        address: "10.0.0.5:7860",
        state: .ready,
        capacity: 10,
        used: 3,
        load: 0.375,
        version: "0.9"
    )

    private static func bytes(_ text: String) -> RESPValue { .bytes(Array(text.utf8)) }

    private static func row(_ name: String, age: Int = 0, _ fields: [String]) -> RESPValue {
        .list([bytes(name), .number(age), .list(fields.map(bytes))])
    }

    @Test func `a worker is read as it was written`() {
        let fields = Self.status.fields.map(Self.bytes)
        #expect(WorkerStatus("a-1_B", fields: fields) == Self.status)
        #expect(WorkerStatus("a-1_B", fields: [Self.bytes("owner"), Self.bytes("x")] + fields) == Self.status)
    }

    @Test(arguments: [
        ("addr", ""), ("state", "asleep"), ("cap", "-1"), ("cap", "many"), ("used", "1.5"), ("load", "nan"),
        ("load", "-0.1"), ("load", "inf"), ("addr", "a:1\nset x"), ("version", "1 2"), ("version", ""),
        ("used", "99999999999999999999"),
    ])
    func `what is no status is none`(field: String, value: String) throws {
        var fields = Self.status.fields
        fields[try #require(fields.firstIndex(of: field)) + 1] = value
        #expect(WorkerStatus("a", fields: fields.map(Self.bytes)) == nil)
    }

    @Test(arguments: ["", "a.b", "a/b", "ä", "a b", String(repeating: "a", count: 64)])
    func `names that are none are refused`(name: String) {
        #expect(WorkerStatus(name, fields: Self.status.fields.map(Self.bytes)) == nil)
    }

    @Test func `workers are listed while they spoke lately`() {
        var list = WorkerList()
        let fields = Self.status.fields
        let rows = [Self.row("b", age: 2000, fields), Self.row("a", age: 100, fields), Self.row("gone", [])]
        let unreadable = list.replace(with: rows, at: .seconds(10))
        #expect(unreadable == [])
        #expect(list.current(at: .seconds(10)).map(\.worker) == ["a", "b"])
        #expect(list.current(at: .milliseconds(11_499)).map(\.worker) == ["a", "b"])
        #expect(list.current(at: .milliseconds(11_500)).map(\.worker) == ["a"])
        #expect(list.current(at: .milliseconds(13_400)).isEmpty)
    }

    @Test func `what cannot be read is left out and said once`() {
        var list = WorkerList()
        let rows = [
            Self.row("a", Self.status.fields), Self.row("b", ["error", "WRONGTYPE"]), .null,
            .list([.null, .null, .null]),
            Self.row("c", age: .max, Self.status.fields), Self.row("d", age: -1, Self.status.fields),
        ]
        var unreadable = list.replace(with: rows, at: .zero)
        #expect(unreadable == ["?", "b", "c", "d"])
        unreadable = list.replace(with: rows, at: .zero)
        #expect(unreadable == [])
        #expect(list.current(at: .zero).map(\.worker) == ["a"])
        _ = list.replace(with: [], at: .zero)
        unreadable = list.replace(with: [rows[1]], at: .zero)
        #expect(unreadable == ["b"])
    }
}
