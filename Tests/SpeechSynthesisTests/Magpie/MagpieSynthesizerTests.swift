internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// Written text to sound, on the tiny models: what the agent hears of Magpie.
@Suite(.timeLimit(.minutes(5))) struct MagpieSynthesizerTests {
    private static let text = "Good morning, it costs $5 to me."

    /// Each letter is a token of the tiny model, which knows 58; a space belongs to the word before it.
    private static func encode(_ spoken: SpokenText) -> (ids: [Int32], words: [Int]) {
        var (ids, words): ([Int32], [Int]) = ([], [])
        for (index, word) in spoken.words.enumerated() {
            for scalar in (word.text + " ").unicodeScalars {
                ids.append(Int32(scalar.value % 58))
                words.append(index)
            }
        }
        return (ids + [59], words + [max(0, spoken.words.count - 1)])
    }

    private func voice(streams: Int = 2, lane: Lane? = nil, seed: UInt64 = 0) async throws -> MagpieSynthesizer {
        let model = try await MagpieModel(
            path: MagpieGolden.path(MagpieGolden.model),
            configuration: MagpieModel.Configuration(
                streams: streams,
                threads: 1,
                precision: .single,
                textVocabulary: nil,
                lane: lane
            )
        )
        let codec = try await NanoCodec(
            path: CodecFixture.model(),
            configuration: NanoCodec.Configuration(streams: streams, threads: 1, device: .cpu(), lane: lane)
        )
        var voice = try MagpieSynthesizer(model: model, codec: codec, seed: seed, encode: Self.encode)
        voice.sampling = MagpieSampling(temperature: 1, topK: 80, guidance: 2.5)
        return voice
    }

    private func spoken(_ voice: MagpieSynthesizer, _ text: String = text) async throws -> [SpeechChunk] {
        var chunks: [SpeechChunk] = []
        for try await chunk in voice.speak(text) { chunks.append(chunk) }
        return chunks
    }

    @Test func `chunks are the sound of the codes, without the silence before the first word`() async throws {
        let voice = try await voice(seed: 5)
        let chunks = try await spoken(voice)
        let words = EnglishNormalizer().spoken(Self.text)
        var sampling = voice.sampling
        var seeds = SplitMix64(seed: 5)
        sampling.seed = seeds.next()
        let stream = try voice.model.stream([Self.encode(words).ids.dropLast()], sampling: sampling)
        var codes: [[Int32]] = []
        while case .frame(let frame) = try await stream.step() { codes.append(frame.codes) }
        let whole = try await voice.codec.openStream().decode(codes)
        let samples = chunks.flatMap(\.samples)
        let dropped = whole.count - samples.count
        #expect(codes.count > 4)
        #expect((0..<whole.count).contains(dropped))
        #expect(whole[..<dropped].allSatisfy { abs($0) <= 200 / 32_768 })
        // The first and the last 5 ms are faded.
        let fade = 110
        #expect(samples[fade..<(samples.count - fade)].elementsEqual(whole[(dropped + fade)..<(whole.count - fade)]))
        #expect(chunks.count > 2)
        #expect(chunks.allSatisfy { !$0.samples.isEmpty })
    }

    @Test func `every word ends once, in order, the last one with the text`() async throws {
        let chunks = try await spoken(try await voice())
        var length = 0
        var words: [SpokenWord] = []
        for chunk in chunks {
            length += chunk.samples.count
            for word in chunk.words {
                #expect((0...length).contains(word.sampleEnd))
                words.append(word)
            }
        }
        // "$5" is two words with one place.
        #expect(words.map(\.textEnd) == [4, 13, 16, 22, 25, 28, 32])
        #expect(words.map(\.sampleEnd) == words.map(\.sampleEnd).sorted())
        #expect(words.last?.sampleEnd == length)
    }

    @Test func `speeches differ, and are the same in another process`() async throws {
        let voice = try await voice(seed: 1)
        let (first, second) = (try await spoken(voice), try await spoken(voice))
        #expect(first != second)
        let again = try await self.voice(seed: 1)
        #expect(try await spoken(again) == first)
        #expect(try await spoken(again) == second)
    }

    @Test func `two speeches at once are what each is alone`() async throws {
        let one = try await voice(lane: Lane(name: "test"), seed: 9)
        let alone = [try await spoken(one), try await spoken(one, "And what else?")]
        let both = try await voice(lane: Lane(name: "test"), seed: 9)
        let streams = [both.speak(Self.text), both.speak("And what else?")]
        let together = try await withThrowingTaskGroup(of: (Int, [SpeechChunk]).self) { group in
            for (index, stream) in streams.enumerated() {
                group.addTask {
                    var chunks: [SpeechChunk] = []
                    for try await chunk in stream { chunks.append(chunk) }
                    return (index, chunks)
                }
            }
            var all = [[SpeechChunk]](repeating: [], count: 2)
            for try await (index, chunks) in group { all[index] = chunks }
            return all
        }
        #expect(together == alone)
    }

    @Test func `a speech that is dropped makes room for the next one`() async throws {
        let voice = try await voice(streams: 1)
        for _ in 0..<3 {
            for try await chunk in voice.speak(Self.text) where !chunk.samples.isEmpty { break }
        }
        #expect(try await spoken(voice).isEmpty == false)
    }

    @Test func `more speeches than there is room for are refused, and the others go on`() async throws {
        let voice = try await voice(streams: 1)
        var first = voice.speak(Self.text).makeAsyncIterator()
        let begun = try await first.next()
        #expect(begun != nil)
        var second = voice.speak(Self.text).makeAsyncIterator()
        var code: VoiceError.Code?
        do { _ = try await second.next() } catch let error as VoiceError { code = error.code }
        #expect(code == .exhausted)
        let next = try await first.next()
        #expect(next != nil)
    }

    @Test func `a cancelled speech ends without an error`() async throws {
        let voice = try await voice()
        let task = Task {
            var count = 0
            for try await _ in voice.speak(Self.text) {
                count += 1
                withUnsafeCurrentTask { $0?.cancel() }
            }
            return count
        }
        #expect(try await task.value == 1)
    }

    @Test(arguments: ["", "  \n", "🙂"]) func `nothing to say is no sound`(text: String) async throws {
        #expect(try await spoken(try await voice(streams: 1), text).isEmpty)
    }

    @Test func `a speaker is found by name`() async throws {
        let voice = try await voice(streams: 1)
        #expect(voice.name == "magpie-first")
        #expect(try voice.speaking(as: "SECOND").name == "magpie-second")
        let error = #expect(throws: VoiceError.self) { try voice.speaking(as: "third") }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("first, second") == true)
        #expect(voice.sampleRate == SampleRate(22_050))
    }

    @Test func `a text of many sentences is said whole`() async throws {
        let voice = try await voice(streams: 1)
        let text = String(repeating: "One two three four five six. ", count: 9) + "The end."
        let words = try await spoken(voice, text).flatMap(\.words)
        #expect(words.count == 56)
        #expect(words.last?.textEnd == text.utf8.count)
    }
}
