internal import SpeechRecognition
internal import SpeechSynthesis
internal import LanguageModels
internal import TurnDetection
internal import ArgumentParser
internal import Foundation
internal import Inference
internal import VoiceCore

/// What this machine has, what would run where, what is missing and how to get it.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What this machine has, what would run where, what is missing and how to get it."
    )

    private struct Finding: Encodable {
        var what: String
        var ok: Bool
        var detail: String
    }

    @OptionGroup var global: GlobalOptions
    @OptionGroup var agent: AgentOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let findings = machine() + (try models()) + (await engines())
        if json {
            try StandardOutput.write(json: ["findings": findings])
        } else {
            for finding in findings {
                StandardOutput.write(
                    "\(finding.ok ? "ok     " : "MISSING") \(finding.what.padded(to: 22)) \(finding.detail)\n"
                )
            }
        }
        let missing = findings.filter { !$0.ok }.map(\.what)
        if !missing.isEmpty {
            throw VoiceError(.unavailable, "not everything is there: \(missing.joined(separator: ", "))")
        }
    }

    private func machine() -> [Finding] {
        let machine = Machine.current
        var findings = [
            Finding(
                what: "machine",
                ok: true,
                detail: "\(machine.cpu), \(machine.cores) cores, \(machine.memory_mb) MB, \(machine.os)"
            )
        ]
        for device in Device.all {
            let memory = device.memory.total / 1_000_000
            findings.append(Finding(what: "device \(device.name)", ok: true, detail: "\(device.detail), \(memory) MB"))
        }
        return findings
    }

    private func models() throws -> [Finding] {
        try ModelCatalogue.all.map { model throws(VoiceError) in
            let state = try global.store.verifiedState(of: model)
            let isThere = state == .verified
            return Finding(
                what: model.name,
                ok: isThere || state == .missing && !model.isDefault,
                detail: isThere
                    ? "\(model.role.rawValue), \(global.store.path(of: model))"
                    : "\(ModelsCommand.List.word(for: model, state)); 'repartee models pull \(model.name)' gets it"
            )
        }
    }

    /// Loads each engine: the only proof that it works.
    private func engines() async -> [Finding] {
        let settings: Settings
        do { settings = try agent.settings() } catch {
            return [Finding(what: "configuration", ok: false, detail: error.message)]
        }
        let warmStart = kept(settings.warmStart)
        let room = EngineRoom(store: global.store, settings: settings)
        func attempt(_ what: String, _ load: () async throws -> String) async -> Finding {
            do { return Finding(what: what, ok: true, detail: try await load()) } catch {
                return Finding(what: what, ok: false, detail: "\(error)")
            }
        }
        return [
            await attempt("voice activity") { try await room.voiceActivity().name + " on the CPU" },
            await attempt("end of turn") { try await room.turnDetector().name + " on the CPU" },
            await attempt("speech recognition") {
                let recognizer = try await room.recognizer(streams: 1)
                return recognizer.name + (recognizer is RemoteRecognizer ? "" : " on the CPU")
            },
            await attempt("language model") {
                let model = try await room.languageModel(chats: 1)
                let place = model is LlamaLanguageModel ? try Device.best().name : "a server"
                return "\(model.name), \(model.contextLength) tokens, on \(place)"
            },
            await attempt("voice") {
                let voice = try await room.synthesizer(streams: 1)
                return voice is RemoteSynthesizer ? voice.name : voice.name + " on the CPU"
            },
            warmStart,
        ]
    }

    /// Where the beginnings of prompts are kept, and how much room they take.
    private func kept(_ settings: WarmStartSettings) -> Finding {
        guard let configuration = settings.configuration(global.store) else {
            return Finding(what: "warm start", ok: true, detail: "switched off")
        }
        let size = configuration.size
        let (used, most) = (size.bytes / 1_048_576, configuration.limit / 1_048_576)
        return Finding(
            what: "warm start",
            ok: true,
            detail: "\(size.files) prompts, \(used) of at most \(most) MB in \(configuration.folder)"
        )
    }
}
