internal import Testing

@testable internal import Cluster

/// The answers are those of HAProxy 2.6.12-1+deb12u4.
struct ProxyCommandTests {
    @Test func `commands are written as the runtime API wants them`() {
        let commands: [ProxyCommand] = [
            .setEndpoint(slot: "slot1", EdgeEndpoint(address: "::1", port: 7860)), .setWeight(slot: "slot1", 256),
            .addEntry(worker: "a", slot: "slot1"), .setMode(slot: "slot1", .ready), .removeEntry(worker: "a"),
        ]
        #expect(
            commands.map { $0.text(backend: "workers", map: "/edge/workers.map") } == [
                "set server workers/slot1 addr ::1 port 7860", "set server workers/slot1 weight 256",
                "add map /edge/workers.map a slot1", "set server workers/slot1 state ready",
                "del map /edge/workers.map a",
            ]
        )
    }

    @Test(arguments: [
        (ProxyCommand.setMode(slot: "slot1", .ready), "\n"),
        (.setWeight(slot: "slot1", 10), "\n"),
        (.addEntry(worker: "a", slot: "slot1"), "\n"),
        (.removeEntry(worker: "a"), "\n"),
        (
            .setEndpoint(slot: "slot1", EdgeEndpoint(address: "127.0.0.1", port: 18101)),
            "no need to change the addr, port changed from '9' to '18101' by 'stats socket command'\n\n"
        ),
        (
            .setEndpoint(slot: "slot1", EdgeEndpoint(address: "127.0.0.2", port: 18101)),
            "IP changed from '127.0.0.1' to '127.0.0.2', no need to change the port by 'stats socket command'\n\n"
        ),
    ])
    func `a success is none to complain about`(command: ProxyCommand, answer: String) {
        #expect(command.complaint(in: answer) == nil)
    }

    @Test(arguments: [
        (ProxyCommand.setMode(slot: "slot99", .ready), "No such server.\n\n"),
        (.setMode(slot: "slot1", .ready), "No such backend.\n\n"),
        (.setWeight(slot: "slot1", 300), "Absolute weight can only be between 0 and 256 inclusive.\n\n"),
        (.addEntry(worker: "a", slot: "slot1"), "Unknown map identifier. Please use #<id> or <file>.\n\n"),
        (.removeEntry(worker: "z"), "Key not found.\n\n"),
        (.setMode(slot: "slot1", .ready), "Permission denied\n\n"),
        (
            .setEndpoint(slot: "slot2", EdgeEndpoint(address: "foo.bar", port: 1)),
            "Invalid addr 'foo.bar' by 'stats socket command'\n\n"
        ),
    ])
    func `a failure is told in HAProxy's words`(command: ProxyCommand, answer: String) {
        #expect(command.complaint(in: answer) == String(answer.dropLast(2)))
    }
}
