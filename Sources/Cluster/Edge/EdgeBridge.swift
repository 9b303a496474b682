package import Logging
package import VoiceCore

/// Tells HAProxy which workers there are.
///
/// Twice a second it reads the workers from the directory and the slots from HAProxy, and changes what differs. It keeps nothing
/// that HAProxy does not know, so it may be ended and started at any time; while it is away, routing stays as it is and HAProxy's
/// own checks go on.
package struct EdgeBridge: Sendable {
    /// What it works with.
    package struct Configuration: Sendable {
        /// HAProxy's socket for commands of the level `admin`.
        package var socket: String
        /// The folder that HAProxy reads at its start.
        package var folder: String
        /// The backend with the slots.
        package var backend: String

        /// Makes a configuration.
        package init(socket: String, folder: String, backend: String) {
            self.socket = socket
            self.folder = folder
            self.backend = backend
        }
    }

    /// The pause between two looks.
    static let interval = Duration.milliseconds(500)

    private let directory: any SessionDirectory
    private let backend: String
    private let folder: EdgeFolder
    private let ask: @Sendable (String) async throws(VoiceError) -> String
    private let logger: Logger
    private let clock: any SessionClock

    /// Makes a bridge; nothing happens until ``run(onReady:)``.
    ///
    /// - Parameters:
    ///   - directory: knows the workers.
    ///   - logger: gets every change but those of weights.
    package init(
        _ configuration: Configuration,
        directory: any SessionDirectory,
        logger: Logger,
        clock: any SessionClock
    ) {
        let socket = RuntimeSocket(path: configuration.socket)
        self.init(
            configuration,
            directory: directory,
            logger: logger,
            clock: clock,
            ask: { command throws(VoiceError) in try await socket.ask(command) }
        )
    }

    /// - Parameter ask: gives HAProxy a command and returns its answer.
    init(
        _ configuration: Configuration,
        directory: any SessionDirectory,
        logger: Logger,
        clock: any SessionClock,
        ask: @escaping @Sendable (String) async throws(VoiceError) -> String
    ) {
        self.directory = directory
        backend = configuration.backend
        folder = EdgeFolder(path: configuration.folder)
        self.ask = ask
        self.logger = logger
        self.clock = clock
    }

    /// Works until the task is cancelled; then everything stays as it is.
    ///
    /// HAProxy may be away at any time, in the beginning too: that is logged, and it is looked for again.
    /// - Parameter onReady: called once, when HAProxy knows the workers for the first time.
    /// - Throws: ``VoiceError/Code/missingInput`` if the folder cannot be written to.
    package func run(onReady: () -> Void = {}) async throws(VoiceError) {
        try folder.prepare()
        var round = Round()
        var complaint: String?
        var isReady = false
        while !Task.isCancelled {
            do throws(VoiceError) {
                try await look(&round)
                if complaint != nil { logger.notice("HAProxy follows again") }
                complaint = nil
                if !isReady { onReady() }
                isReady = true
            } catch {
                if Task.isCancelled { return }
                // Once, not twice a second.
                if complaint != error.message {
                    logger.warning("HAProxy does not follow", metadata: ["reason": "\(error)"])
                }
                complaint = error.message
            }
            try? await clock.sleep(until: clock.now + Self.interval)
        }
    }

    // MARK: - One look

    /// What is remembered from one look to the next.
    struct Round {
        var planner = EdgePlanner()
        var addresses = EdgeAddresses()
        var saved: EdgeState?
        var homeless: [String] = []
        var unusable: Set<String> = []
    }

    /// Looks once, and changes what differs.
    func look(_ round: inout Round) async throws(VoiceError) {
        let workers = await usable(directory.workers(), &round)
        let servers = try await ask("show servers state \(backend)")
        let state = try EdgeState(servers: servers, map: await ask("show map \(folder.map)"))
        let plan = round.planner.plan(workers, state, at: clock.now)
        for command in plan.commands { try await perform(command) }
        if plan.homeless != round.homeless, !plan.homeless.isEmpty {
            logger.error(
                "There are more workers than slots",
                metadata: ["slots": "\(state.slots.count)", "workers": "\(plan.homeless.joined(separator: ", "))"]
            )
        }
        round.homeless = plan.homeless
        guard plan.commands.allSatisfy(\.isRoutine), state.withoutWeights != round.saved else { return }
        try folder.save(servers, state.entries)
        round.saved = state.withoutWeights
    }

    private func perform(_ command: ProxyCommand) async throws(VoiceError) {
        let text = command.text(backend: backend, map: folder.map)
        let answer = try await ask(text)
        if let complaint = command.complaint(in: answer) {
            throw VoiceError(.unavailable, "HAProxy refuses '\(text)': \(complaint)")
        }
        logger.log(level: command.isRoutine ? .debug : .info, "HAProxy told", metadata: ["command": "\(text)"])
    }

    /// The workers that can be told to HAProxy. What others wrote becomes part of commands, so it is looked at first.
    private func usable(_ workers: [WorkerStatus], _ round: inout Round) async -> [EdgeWorker] {
        let endpoints = await round.addresses.endpoints(of: Set(workers.map(\.address)), at: clock.now)
        var names: Set<String> = []
        var usable: [EdgeWorker] = []
        var unusable: Set<String> = []
        for worker in workers {
            guard worker.hasUsableName, let endpoint = endpoints[worker.address], names.insert(worker.worker).inserted
            else {
                unusable.insert("\(worker.worker.prefix(64)) at \(worker.address.prefix(64))")
                continue
            }
            usable.append(
                EdgeWorker(
                    name: worker.worker,
                    endpoint: endpoint,
                    isDraining: worker.state == .draining,
                    weight: EdgeWorker.weight(of: worker, among: workers)
                )
            )
        }
        for worker in unusable.subtracting(round.unusable).sorted() {
            logger.error("A worker has no usable name or address", metadata: ["worker": "\(worker)"])
        }
        round.unusable = unusable
        return usable
    }
}

extension WorkerStatus {
    /// Whether the name is 1 to 63 letters, digits, `-` and `_`.
    fileprivate var hasUsableName: Bool {
        (1...63).contains(worker.utf8.count)
            && worker.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
