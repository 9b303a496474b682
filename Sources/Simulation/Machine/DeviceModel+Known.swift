// The figures of all machines. What is marked
//   published   was measured by others and published: the blog post "Building voice agents with NVIDIA open models" (Daily,
//               January 2026), and docs/v2v-latency-testing.md in pipecat-ai/nemotron-january-2026;
//   measured    is in docs/performance.md;
//   estimate    is worked out from published figures and was never measured by us. Of the GPUs only the H100's figures are more.
// None is fitted to a voice-to-voice time.

extension DeviceModel {
    /// All machines there are figures of.
    package static let known = [rtx5090, dgxSpark, h200, h100, processor]

    /// The machine of a name; nil if there is none.
    package static func named(_ name: String) -> DeviceModel? { known.first { $0.name == name } }

    /// Nemotron Speech 0.6B, Nemotron 3 Nano Q4 and Magpie on one card.
    package static let rtx5090 = DeviceModel(
        name: "rtx-5090",
        title: "RTX 5090",
        evidence: "estimates from published figures",
        cores: gpuHostCores,
        sharesProcessor: false,
        ours: StackCosts(
            recognition: .init(
                // Estimate: 4 % of the 160 ms of a chunk.
                step: StepCost(alone: .milliseconds(6), further: furtherStream),
                // Estimate: 15 to 18 ms.
                final: StepCost(alone: .milliseconds(18), further: furtherStream)
            ),
            language: .init(
                // Estimate: 10 to 15 ms for 10 to 60 tokens.
                prefill: .milliseconds(9),
                prefillToken: .microseconds(100),
                // Published for a model of the same architecture on llama.cpp: 229 tokens/s. Further chats, an estimate: 30
                // tokens read 13 GB of experts in 7.5 ms.
                decode: StepCost(alone: .microseconds(4400), further: .microseconds(220))
            ),
            voice: .init(
                // Estimate: 60 to 100 ms; 0.25 of real time.
                firstAudio: .milliseconds(80),
                firstFrames: magpieFirstFrames,
                frame: StepCost(alone: .microseconds(11_600), further: .microseconds(740)),
                frameLength: magpieFrame
            ),
            verdict: ourVerdict,
            voiceActivityWindow: ourWindow
        ),
        published: StackCosts(
            // Published: 19 ms to the final transcript. A step as ours.
            recognition: .init(step: StepCost(alone: .milliseconds(6)), final: StepCost(alone: .milliseconds(19))),
            language: .init(
                prefill: .milliseconds(9),
                prefillToken: .microseconds(100),
                decode: StepCost(alone: .microseconds(4400)),
                // Published: 171 ms to the first segment of 24 tokens. Less the reading of some 30 tokens, 12 ms, and 23 more
                // tokens, 101 ms.
                request: .milliseconds(58)
            ),
            voice: .init(
                // Published: 108 ms; 0.27 to 0.29 of real time.
                firstAudio: .milliseconds(108),
                firstFrames: magpieFirstFrames,
                frame: StepCost(alone: .milliseconds(13)),
                frameLength: magpieFrame
            ),
            verdict: publishedVerdict,
            voiceActivityWindow: .zero
        ),
        // Published: p50 508, p90 544 of 20 turns.
        publishedVoiceToVoice: 508
    )

    /// The same models on 273 GB/s; as published the language model is Q8, ours Q4.
    package static let dgxSpark = DeviceModel(
        name: "dgx-spark",
        title: "DGX Spark",
        evidence: "estimates from published figures",
        cores: gpuHostCores,
        sharesProcessor: false,
        ours: StackCosts(
            recognition: .init(
                // Estimate: as much slower than on the RTX 5090 as its final transcripts.
                step: StepCost(alone: .milliseconds(9), further: .microseconds(430)),
                // Estimate.
                final: StepCost(alone: .milliseconds(27), further: .microseconds(430))
            ),
            language: .init(
                // Estimate: 40 ms for 30 tokens; a token by the ratio of the memories' speeds to the RTX 5090.
                prefill: .milliseconds(20),
                prefillToken: .microseconds(660),
                // Estimate: 13 ms; vLLM was published with 67 to 75 tokens/s. 13 GB of experts for 30 tokens take 48 ms.
                decode: StepCost(alone: .milliseconds(13), further: .microseconds(1500))
            ),
            voice: .init(
                // Estimate: 160 ms, and as much slower in all as in that.
                firstAudio: .milliseconds(160),
                firstFrames: magpieFirstFrames,
                frame: StepCost(alone: .microseconds(23_200), further: .microseconds(1480)),
                frameLength: magpieFrame
            ),
            verdict: ourVerdict,
            voiceActivityWindow: ourWindow
        ),
        published: StackCosts(
            // Published: 27 ms to the final transcript.
            recognition: .init(step: StepCost(alone: .milliseconds(9)), final: StepCost(alone: .milliseconds(27))),
            language: .init(
                // Estimate: Q8 reads twice the bytes of Q4.
                prefill: .milliseconds(40),
                prefillToken: .microseconds(1320),
                decode: StepCost(alone: .milliseconds(26)),
                // Published: 750 ms to the first segment of 24 tokens. Less the reading of some 30 tokens, 80 ms, and 23 more
                // tokens, 598 ms.
                request: .milliseconds(72)
            ),
            voice: .init(
                // Published: 193 ms. Twice the RTX 5090's time for a frame, an estimate.
                firstAudio: .milliseconds(193),
                firstFrames: magpieFirstFrames,
                frame: StepCost(alone: .milliseconds(26)),
                frameLength: magpieFrame
            ),
            verdict: publishedVerdict,
            voiceActivityWindow: .zero
        ),
        // Published.
        publishedVoiceToVoice: 1180
    )

    /// The same models; nothing was published for one stream on this card.
    package static let h200 = DeviceModel(
        name: "h200",
        title: "H200",
        evidence: "estimates from published figures",
        cores: gpuHostCores,
        sharesProcessor: false,
        ours: StackCosts(
            recognition: .init(
                // Estimate: as much faster than on the RTX 5090 as its final transcripts.
                step: StepCost(alone: .milliseconds(4), further: furtherStream),
                // Estimate.
                final: StepCost(alone: .milliseconds(12), further: furtherStream)
            ),
            language: .init(
                // Estimate: 6 to 8 ms for 10 to 60 tokens.
                prefill: .microseconds(5600),
                prefillToken: .microseconds(40),
                // Estimate: 200 to 300 tokens/s. 13 GB of experts for 30 tokens take 3 ms.
                decode: StepCost(alone: .milliseconds(4), further: .microseconds(90))
            ),
            voice: .init(
                // Estimate: 40 to 60 ms, and as much faster in all as in that.
                firstAudio: .milliseconds(50),
                firstFrames: magpieFirstFrames,
                frame: StepCost(alone: .microseconds(7300), further: .microseconds(470)),
                frameLength: magpieFrame
            ),
            verdict: ourVerdict,
            voiceActivityWindow: ourWindow
        ),
        published: nil,
        publishedVoiceToVoice: nil
    )

    /// Models of random weights in the sizes of Nemotron Speech 0.6B, Nemotron 3 Nano Q4 and Magpie, each engine measured alone.
    package static let h100 = DeviceModel(
        name: "h100",
        title: "H100",
        evidence: "measured engine by engine, random weights",
        cores: gpuHostCores,
        sharesProcessor: false,
        ours: StackCosts(
            recognition: .init(
                // Measured: 10.8 ms with 8 sessions and 23.6 with 32 that say nothing, about 6 alone. A session says 0.6 tokens in
                // 160 ms, an assumption, of 0.2 ms each.
                step: StepCost(alone: .microseconds(6200), further: .microseconds(700)),
                // Measured: 5.3 ms.
                final: StepCost(alone: .microseconds(5300), further: .microseconds(700))
            ),
            language: .init(
                // Measured: 19.4, 25.6 and 40.4 ms to the first token after 18, 64 and 270 new ones.
                prefill: .milliseconds(16),
                prefillToken: .microseconds(75),
                // Measured: 3.45 ms alone, 5.5, 13.3 and 22.1 with 4, 16 and 32.
                decode: StepCost(alone: .microseconds(3450), further: .microseconds(610))
            ),
            voice: .init(
                // Measured: 32 ms in the agent.
                firstAudio: .milliseconds(32),
                firstFrames: 1,
                // Measured: Magpie 2.6 ms, and 15.7 with 32; the codec, four frames at a time, 1.4 a frame, and 15.9 with 32.
                frame: StepCost(alone: .microseconds(4000), further: .microseconds(890)),
                frameLength: magpieFrame
            ),
            // Measured: 74 ms in the agent, two threads of the host.
            verdict: ourVerdict,
            voiceActivityWindow: ourWindow
        ),
        published: nil,
        publishedVoiceToVoice: nil
    )

    /// Two cores of an AMD EPYC (Zen 4): starter-en, SmolLM2-135M, Smart Turn and flite, without a GPU.
    package static let processor = DeviceModel(
        name: "cpu",
        title: "2 cores of an EPYC",
        evidence: "measured on that processor",
        cores: 2,
        sharesProcessor: true,
        ours: StackCosts(
            // Measured: "The starter recogniser"; sessions were not measured together and are taken to share nothing.
            recognition: .init(
                step: StepCost(alone: .microseconds(1200), further: .microseconds(1200)),
                final: StepCost(alone: .microseconds(2300), further: .microseconds(2300))
            ),
            language: .init(
                // Measured: "Language model", 2 threads; chats are taken to share as much as tokens of a prompt do.
                prefill: .zero,
                prefillToken: .microseconds(5100),
                decode: StepCost(alone: .microseconds(10_800), further: .microseconds(5100)),
                threads: 2
            ),
            voice: .init(
                // Measured: 22 ms to the first audio ("Voice to voice, by policy"). Of a short clause's 31 ms of processor
                // time 20 come later, for some 1.5 s of sound.
                firstAudio: .milliseconds(22),
                firstFrames: 1,
                frame: StepCost(alone: .microseconds(1300)),
                frameLength: .milliseconds(100),
                hasOwnThread: true
            ),
            verdict: ourVerdict,
            voiceActivityWindow: ourWindow
        ),
        published: nil,
        publishedVoiceToVoice: nil
    )

    /// Cores of a GPU's host, an assumption; Smart Turn and voice activity compute there.
    private static let gpuHostCores = 16

    /// Published: 560 streams of the recogniser on one H100 (NVIDIA's model card), with chunks taken to be of 160 ms.
    private static let furtherStream = Duration.microseconds(290)

    /// 1024 samples at 22.05 kHz.
    private static let magpieFrame = Duration.nanoseconds(1_000_000_000 * 1024 / 22_050)
    /// As in NVIDIA's C++ runtime (NeMo-Speech.cpp). Further voices, an estimate: NVIDIA's Magpie service makes 10.2 times real
    /// time with one stream and 19.2 with two, so that the second costs 0.064 of the first.
    private static let magpieFirstFrames = 3

    /// Measured with two threads: 75 ms in the agent ("Voice to voice, by policy"). A GPU's host may well be faster.
    private static let ourVerdict = StackCosts.Verdict(cost: .milliseconds(75), threads: 2)
    /// Estimate: 10 ms of a host's core, one detector in each bot's process.
    private static let publishedVerdict = StackCosts.Verdict(cost: .milliseconds(10), threads: 1, isShared: false)

    /// Measured: "Turn taking", 0.2 ms a window.
    private static let ourWindow = Duration.microseconds(200)
}
