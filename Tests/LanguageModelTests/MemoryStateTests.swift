internal import Inference
internal import Testing
internal import VoiceCore

/// Copies of a memory, states of it, and several sequences in one call, by the scores that they lead to.
@Suite struct MemoryStateTests {
    private static let models = [Models.attention, Models.hybrid]
    private static let a = (0..<40).map { TokenID(40 + $0 * 7 % 90) }
    private static let b = (0..<9).map { TokenID(50 + $0 * 11 % 80) }
    private static let c = (0..<12).map { TokenID(45 + $0 * 5 % 85) }

    private func context(_ path: String, sequences: Int = 3) throws -> LlamaContext {
        let model = try LlamaModel(GGUFFile(path: path), options: LlamaModel.Options(device: Device.cpu()))
        let options = LlamaContext.Options(
            cells: 1024,
            sequences: sequences,
            batch: 64,
            threads: 1,
            sharesCells: model.isRecurrent
        )
        return try LlamaContext(model, options: options)
    }

    private func read(
        _ tokens: [TokenID],
        at position: Int,
        _ sequence: Int,
        _ context: LlamaContext
    ) throws -> [Float] {
        #expect(try context.decode([LlamaContext.Row(tokens[...], at: position, sequence: sequence)]))
        return try scores(context, sequence)
    }

    private func scores(_ context: LlamaContext, _ sequence: Int) throws -> [Float] {
        try context.withLogits(of: sequence) { (logits) throws(VoiceError) in
            var scores: [Float] = []
            for index in logits.indices { scores.append(logits[index]) }
            return scores
        }
    }

    private func fresh(_ path: String) throws -> [Float] {
        let context = try context(path)
        _ = try read(Self.a, at: 0, 0, context)
        return try read(Self.c, at: Self.a.count, 0, context)
    }

    @Test(arguments: models) func `after going back to a copy the scores are a fresh memory's`(path: String) throws {
        let context = try context(path)
        _ = try read(Self.a, at: 0, 0, context)
        context.copy(0, to: 2)
        let elsewhere = try read(Self.b, at: Self.a.count, 0, context)
        context.copy(2, to: 0)
        let again = try read(Self.c, at: Self.a.count, 0, context)
        // The same batches, so the same sums.
        #expect(again == (try fresh(path)))
        #expect(again != elsewhere)
    }

    @Test(arguments: models) func `a marked token's scores are those of a memory that ends there`(path: String) throws {
        let context = try context(path)
        let row = LlamaContext.Row(Self.a[...], at: 0, sequence: 1, mark: 24)
        #expect(try context.decode([row]))
        let marked = try context.withLogits(ofMarkIn: 1) { (logits) throws(VoiceError) in
            var scores: [Float] = []
            for index in logits.indices { scores.append(logits[index]) }
            return scores
        }
        let whole = try scores(context, 1)
        let short = try read(Array(Self.a[...24]), at: 0, 0, context)
        // Sums of other batches.
        #expect(zip(marked, short).allSatisfy { abs($0 - $1) < 1e-3 })
        #expect(whole != marked)
        #expect(throws: VoiceError.self) { try context.withLogits(ofMarkIn: 0) { _ in } }
        // Without a mark there is none any more.
        _ = try read(Self.b, at: Self.a.count, 1, context)
        #expect(throws: VoiceError.self) { try context.withLogits(ofMarkIn: 1) { _ in } }
    }

    @Test(arguments: models) func `a state that another context takes leads to the same scores`(path: String) throws {
        let first = try context(path)
        _ = try read(Self.a, at: 0, 1, first)
        let state = try first.state(of: 1)
        let second = try context(path)
        #expect(first.stateLayout == second.stateLayout)
        #expect(second.restore(state, to: 0))
        #expect(second.count(of: 0) == Self.a.count)
        #expect(try read(Self.c, at: Self.a.count, 0, second) == (try fresh(path)))
    }

    @Test func `a state of another layout has another name, and one that does not fit is not taken`() throws {
        let first = try context(Models.attention)
        _ = try read(Self.a, at: 0, 0, first)
        let other = try context(Models.attention, sequences: 2)
        #expect(first.stateLayout != other.stateLayout)
        #expect(!other.restore(try first.state(of: 0), to: 0))
        #expect(other.count(of: 0) == 0)
    }

    @Test(arguments: models) func `several sequences in one call get the scores of each alone`(path: String) throws {
        let context = try context(path)
        _ = try read(Self.a, at: 0, 0, context)
        _ = try read(Self.b, at: 0, 2, context)
        let rows = [
            LlamaContext.Row([60], at: Self.b.count, sequence: 2),
            LlamaContext.Row(Self.c[...], at: Self.a.count, sequence: 0),
            LlamaContext.Row(Self.b[...], at: 0, sequence: 1),
        ]
        #expect(try context.decode(rows))
        let together = try [2, 0, 1].map { try scores(context, $0) }
        var alone: [[Float]] = []
        for row in rows {
            let single = try self.context(path)
            if row.position > 0 { _ = try read(row.sequence == 0 ? Self.a : Self.b, at: 0, row.sequence, single) }
            alone.append(try read(Array(row.tokens), at: row.position, row.sequence, single))
        }
        for (some, others) in zip(together, alone) {
            let difference = zip(some, others).map { abs($0 - $1) }.max() ?? .infinity
            #expect(difference < 0.05, "\(difference)")
        }
        #expect(together[0] != together[1])
    }

    @Test func `rows that are none are refused`() throws {
        let context = try context(Models.attention)
        let row = LlamaContext.Row([60], at: 0, sequence: 1)
        let rows: [[LlamaContext.Row]] = [
            [], [row, row], [LlamaContext.Row([], at: 0, sequence: 0)], [LlamaContext.Row([60], at: 0, sequence: 3)],
            [LlamaContext.Row([60], at: 0, sequence: 0, mark: 1)],
            [LlamaContext.Row([60], at: 0, sequence: 0, mark: -1)],
            [
                LlamaContext.Row([60], at: 0, sequence: 0, mark: 0),
                LlamaContext.Row([60], at: 0, sequence: 1, mark: 0),
            ],
            [LlamaContext.Row([60], at: -1, sequence: 0)], [LlamaContext.Row([1 << 20], at: 0, sequence: 0)],
        ]
        for rows in rows { #expect(throws: VoiceError.self) { try context.decode(rows) } }
        #expect(throws: VoiceError.self) { try context.withLogits(of: 1) { _ in } }
        #expect(try context.decode([row]))
        #expect(throws: VoiceError.self) { try context.withLogits(of: 0) { _ in } }
    }
}
