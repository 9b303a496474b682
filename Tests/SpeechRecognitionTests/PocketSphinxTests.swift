internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

/// One recogniser for all tests: its decoders take half a second each to load.
private let shared = Result { () throws(VoiceError) in try PocketSphinxRecognizer(maximumStreams: 4, maximumIdle: 4) }

@Suite(.serialized) struct PocketSphinxTests {
    let recognizer: PocketSphinxRecognizer

    init() throws { recognizer = try shared.get() }

    @Test func `an utterance of nothing is empty`() async throws {
        let stream = try await recognizer.openStream()
        #expect(try await stream.finish() == Transcript(text: "", isFinal: true))
        #expect(try await stream.feed([]) == nil)
        #expect(try await stream.finish().text == "")
        try await stream.reset()
        #expect(try await stream.finish().text == "")
    }

    @Test(arguments: [
        [Float](repeating: 0.25, count: 1), [Float](repeating: 0, count: 159), [Float](repeating: .nan, count: 3_000),
        [Float](repeating: .infinity, count: 3_000), (0..<3_000).map { $0 % 2 == 0 ? 9 : -9 },
    ])
    func `odd samples do no harm`(samples: [Float]) async throws {
        let stream = try await recognizer.openStream()
        _ = try await stream.feed(samples)
        #expect(try await stream.finish().isFinal)
        _ = try await stream.feed(samples)
        try await stream.reset()
        #expect(try await stream.finish().text == "")
    }

    @Test func `minutes of silence are silence`() async throws {
        let stream = try await recognizer.openStream()
        let silence = [Float](repeating: 0, count: 16_000)
        for _ in 0..<130 { _ = try await stream.feed(silence) }
        #expect(try await stream.finish().text == "")
    }

    @Test func `no more streams are opened than allowed, and a closed one makes room`() async throws {
        let recognizer = try PocketSphinxRecognizer(maximumStreams: 1, maximumIdle: 1)
        do {
            let only = try await recognizer.openStream()
            let error = await #expect(throws: VoiceError.self) { try await recognizer.openStream() }
            #expect(error?.code == .exhausted)
            _ = try await only.finish()
        }
        _ = try await recognizer.openStream()
    }

    @Test func `a cancelled feed stops`() async throws {
        let stream = try await recognizer.openStream()
        let error = await withTaskGroup(of: VoiceError?.self) { group in
            group.addTask {
                withUnsafeCurrentTask { $0?.cancel() }
                do throws(VoiceError) {
                    _ = try await stream.feed([Float](repeating: 0, count: 16_000 * 600))
                    return nil
                } catch {
                    return error
                }
            }
            return await group.next() ?? nil
        }
        #expect(error?.code == .cancelled)
        try await stream.reset()
        #expect(try await stream.finish().text == "")
    }
}

@Suite struct LanePoolTests {
    private func pool(streams: Int = 8, idle: Int = 8) throws -> LanePool {
        LanePool(model: try PocketSphinxModel.find(), maximumStreams: streams, maximumIdle: idle)
    }

    @Test func `a speaker gets the lane of their last utterance, another the one that came back last`() throws {
        let pool = try pool()
        let (first, second) = (try pool.enter(), try pool.enter())
        let (one, two) = (pool.take(for: first), pool.take(for: second))
        #expect(one !== two)
        pool.giveBack(one)
        pool.giveBack(two)
        let again = pool.take(for: first)
        #expect(again === one)
        pool.giveBack(again)
        let other = pool.take(for: try pool.enter())
        #expect(other === one)
        // It has been somebody else's.
        let left = pool.take(for: first)
        #expect(left === two)
    }

    @Test func `streams are counted, lanes are not`() throws {
        let pool = try pool(streams: 2)
        let speaker = try pool.enter()
        #expect(try pool.enter() != speaker)
        let error = #expect(throws: VoiceError.self) { try pool.enter() }
        #expect(error?.code == .exhausted)
        pool.leave()
        #expect(try pool.enter() != speaker)
    }

    @Test func `lanes that were not needed for a minute go, but for a few`() throws {
        let pool = try pool(idle: 1)
        var now = ContinuousClock.now
        weak var early: PocketSphinxLane?
        weak var late: PocketSphinxLane?
        do {
            let lanes = [pool.take(for: 1), pool.take(for: 2)]
            (early, late) = (lanes[0], lanes[1])
            pool.giveBack(lanes[0], at: now)
            now += .seconds(50)
            pool.giveBack(lanes[1], at: now)
        }
        #expect(early != nil && late != nil)
        now += .seconds(20)
        pool.giveBack(pool.take(for: 2), at: now)
        #expect(early == nil)
        #expect(late != nil)
        now += .seconds(1000)
        pool.giveBack(pool.take(for: 2), at: now)
        #expect(late != nil)
    }
}

@Suite struct PocketSphinxModelTests {
    @Test func `a folder without the model is refused with what is missing`() {
        let environment = [PocketSphinxModel.variable: "/nowhere"]
        let error = #expect(throws: VoiceError.self) { try PocketSphinxModel.find(environment: environment) }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "/nowhere/en-us/mdef is missing; install the package pocketsphinx-en-us again")
    }

    @Test func `the variable decides over the machine's own model`() throws {
        let machine = try PocketSphinxModel.find(environment: [:])
        let named = try PocketSphinxModel.find(environment: [PocketSphinxModel.variable: machine.folder + "/."])
        #expect(named.folder == machine.folder + "/.")
    }

    @Test func `an empty file is refused`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("en-us"),
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data().write(to: folder.appendingPathComponent("en-us/mdef"))
        let error = #expect(throws: VoiceError.self) { try PocketSphinxModel(folder: folder.path) }
        #expect(error?.message.contains("mdef is empty") == true)
    }
}

@Suite struct SpokenTextTests {
    @Test(
        arguments: [
            ([], ""), (["", " "], ""), (["<s> hello <sil> world(2) </s>"], "Hello world"), (["[NOISE] ++um++"], ""),
            (["i think i'm in iowa", "and i'd stay"], "I think I'm in iowa and I'd stay"), (["(2)"], ""),
        ] as [([String], String)]
    )
    func `words become text`(runs: [String], text: String) {
        #expect(SpokenText.display(runs) == text)
    }
}
