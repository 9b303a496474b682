internal import Foundation
internal import Logging
internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import Cluster

/// The bridge before the real HAProxy.
@Suite(.enabled(if: RealHAProxy.program != nil, "run scripts/bootstrap --tests to install HAProxy"))
struct EdgeBridgeTests {
    private let clock = ManualClock()

    /// A bridge that notes the commands which change something.
    private func bridge(
        _ proxy: RealHAProxy,
        _ directory: ListedWorkers,
        backend: String = "workers",
        changes: Changes = Changes()
    ) -> EdgeBridge {
        EdgeBridge(
            EdgeBridge.Configuration(socket: proxy.socket, folder: proxy.state, backend: backend),
            directory: directory,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: clock,
            ask: { command throws(VoiceError) in
                if !command.hasPrefix("show") { changes.commands.withLock { $0.append(command) } }
                return try await RuntimeSocket(path: proxy.socket).ask(command)
            }
        )
    }

    private final class Changes: Sendable {
        let commands = Mutex<[String]>([])

        func take() -> [String] {
            commands.withLock { commands in
                defer { commands = [] }
                return commands
            }
        }
    }

    private func state(_ proxy: RealHAProxy) async throws -> EdgeState {
        let socket = RuntimeSocket(path: proxy.socket)
        return try EdgeState(
            servers: try await socket.ask("show servers state workers"),
            map: try await socket.ask("show map \(proxy.state)/workers.map")
        )
    }

    @Test func `the shipped file is valid`() throws { #expect(try RealHAProxy().check() == 0) }

    @Test func `HAProxy learns of workers, and is left alone once it knows them`() async throws {
        let proxy = try RealHAProxy()
        try await proxy.start()
        let directory = ListedWorkers(
            WorkerStatus("a", "127.0.0.1:9001"),
            WorkerStatus("b", "[::1]:9002", .draining, load: 0.5)
        )
        let changes = Changes()
        let bridge = bridge(proxy, directory, changes: changes)
        var round = EdgeBridge.Round()
        try await bridge.look(&round)
        #expect(
            changes.take() == [
                "set server workers/slot1 addr 127.0.0.1 port 9001", "set server workers/slot1 weight 256",
                "add map \(proxy.state)/workers.map a slot1", "set server workers/slot1 state ready",
                "set server workers/slot2 addr ::1 port 9002", "set server workers/slot2 weight 128",
                "add map \(proxy.state)/workers.map b slot2", "set server workers/slot2 state drain",
            ]
        )
        let known = try await state(proxy)
        #expect(known.slots.prefix(3).map(\.mode) == [.ready, .drain, .maint])
        #expect(known.slots[1].endpoint == EdgeEndpoint(address: "::1", port: 9002))
        #expect(known.entries.map(\.worker) == ["a", "b"])
        try await bridge.look(&round)
        #expect(changes.take() == [])
        // Another bridge finds all in order, too.
        var anew = EdgeBridge.Round()
        try await self.bridge(proxy, directory, changes: changes).look(&anew)
        #expect(changes.take() == [])
    }

    @Test func `a process that takes over knows the workers from its start`() async throws {
        let proxy = try RealHAProxy()
        try await proxy.start()
        let directory = ListedWorkers(
            WorkerStatus("a", "127.0.0.1:9001", load: 0.5),
            WorkerStatus("b", "127.0.0.1:9002", .draining)
        )
        let changes = Changes()
        let bridge = bridge(proxy, directory, changes: changes)
        var round = EdgeBridge.Round()
        try await bridge.look(&round)
        try await bridge.look(&round)
        _ = changes.take()
        try await proxy.reload()
        let known = try await state(proxy)
        #expect(known.slots.prefix(3).map(\.mode) == [.ready, .drain, .maint])
        #expect(known.slots.prefix(2).map(\.weight) == [128, 256])
        #expect(known.entries.map(\.slot) == ["slot1", "slot2"])
        try await bridge.look(&round)
        #expect(changes.take() == [])
    }

    @Test func `a process that was told nothing is told everything`() async throws {
        let proxy = try RealHAProxy()
        try await proxy.start()
        let bridge = bridge(proxy, ListedWorkers(WorkerStatus("a", "127.0.0.1:9001")))
        var round = EdgeBridge.Round()
        try await bridge.look(&round)
        for file in ["servers.state", "workers.map"] {
            try Data().write(to: URL(fileURLWithPath: "\(proxy.state)/\(file)"))
        }
        try await proxy.reload()
        try await bridge.look(&round)
        let known = try await state(proxy)
        #expect(known.slots[0].mode == .ready && known.slots[0].endpoint.port == 9001)
        #expect(known.entries == [EdgeState.Entry(worker: "a", slot: "slot1")])
    }

    @Test func `workers whose names or addresses would be commands are left out`() async throws {
        let proxy = try RealHAProxy()
        try await proxy.start()
        let changes = Changes()
        let directory = ListedWorkers(
            WorkerStatus("a; shutdown sessions server workers/slot1", "127.0.0.1:9001"),
            WorkerStatus("", "127.0.0.1:9001"),
            WorkerStatus("b", "127.0.0.1:9002;show info"),
            WorkerStatus("c", "127.0.0.1:9003\nshow info"),
            WorkerStatus(String(repeating: "d", count: 64), "127.0.0.1:1")
        )
        var round = EdgeBridge.Round()
        try await bridge(proxy, directory, changes: changes).look(&round)
        #expect(changes.take() == [])
    }

    @Test func `what HAProxy refuses is told in its words`() async throws {
        let proxy = try RealHAProxy()
        try await proxy.start()
        let bridge = bridge(proxy, ListedWorkers(), backend: "nowhere")
        let error = await #expect(throws: VoiceError.self) {
            var round = EdgeBridge.Round()
            try await bridge.look(&round)
        }
        #expect(error?.message.contains("Can't find backend") == true)
    }

    @Test func `without HAProxy the error says what to do`() async throws {
        let proxy = try RealHAProxy()
        let bridge = bridge(proxy, ListedWorkers())
        let error = await #expect(throws: VoiceError.self) {
            var round = EdgeBridge.Round()
            try await bridge.look(&round)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("start it") == true)
    }
}
