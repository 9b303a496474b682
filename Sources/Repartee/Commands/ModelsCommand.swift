internal import ArgumentParser
internal import Foundation
internal import VoiceCore

/// The models: which there are, where they lie, whether they are right.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "The model catalogue.",
        subcommands: [List.self, Pull.self, Verify.self, Path.self],
        defaultSubcommand: List.self
    )

    /// A model's name on the command line.
    struct Name: ParsableArguments {
        @Argument(help: "A model of the catalogue.")
        var name: String

        func model() throws(VoiceError) -> CatalogueModel {
            guard let model = ModelCatalogue.model(named: name) else {
                let names = ModelCatalogue.all.map(\.name).joined(separator: ", ")
                throw VoiceError(.usage, "there is no model '\(name)' in the catalogue; it has \(names)")
            }
            return model
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the catalogue.")

        @OptionGroup var global: GlobalOptions

        func run() async throws {
            for model in ModelCatalogue.all {
                let size = String(model.bytes / 1_000_000) + " MB"
                let columns = [
                    model.name.padded(to: 22), model.role.rawValue.padded(to: 16), size.padded(to: 8),
                    model.licence.padded(to: 40), Self.word(for: model, global.store.state(of: model)),
                ]
                StandardOutput.write(columns.joined(separator: " ") + "\n")
            }
            StandardOutput.write("in \(global.store.directory)\n")
        }

        static func word(for model: CatalogueModel, _ state: ModelStore.State) -> String {
            state == .missing && !model.isDefault ? "optional" : state.rawValue
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Reads every model and compares its SHA-256.")

        @OptionGroup var global: GlobalOptions

        func run() async throws {
            var bad: [String] = []
            for model in ModelCatalogue.all {
                let state = try global.store.verifiedState(of: model)
                StandardOutput.write("\(model.name.padded(to: 22)) \(List.word(for: model, state))\n")
                let isMissed = state == .missing && model.isDefault
                if state == .damaged || isMissed { bad.append(model.name) }
            }
            if !bad.isEmpty {
                throw VoiceError(
                    .unavailable,
                    "\(bad.joined(separator: ", ")): missing or damaged; run 'repartee models pull' with each name"
                )
            }
        }
    }

    struct Path: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints where a model lies.")

        @OptionGroup var global: GlobalOptions
        @OptionGroup var name: Name

        func run() async throws {
            StandardOutput.write(try global.store.resolve(name.model().name) + "\n")
        }
    }

    struct Pull: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetches a model and what it needs: shows progress, resumes, verifies SHA-256.",
            discussion: "HF_ENDPOINT names a mirror of huggingface.co, HF_TOKEN a login there."
        )

        @OptionGroup var global: GlobalOptions
        @OptionGroup var name: Name

        func run() async throws {
            let model = try name.model()
            for name in model.needs {
                if let needed = ModelCatalogue.model(named: name) { try await pull(needed) }
            }
            try await pull(model)
        }

        private func pull(_ model: CatalogueModel) async throws {
            if try global.store.verifiedState(of: model) == .verified {
                StandardOutput.write("\(model.name) is there and right: \(global.store.path(of: model))\n")
                return
            }
            switch model.source {
            case .checkout(let origin):
                StandardError.print("\(model.name): \(model.licence), \(origin)")
                try await CheckoutModels(store: global.store).fetch()
                guard try global.store.verifiedState(of: model) == .verified else {
                    throw VoiceError(.fault, "\(global.store.path(of: model)) is still not right after it was fetched")
                }
            case .huggingFace(let file):
                StandardError.print(
                    "\(model.name): \(model.licence), \(file.page); who fetches it accepts its terms. \(model.bytes / 1_000_000) MB"
                )
                try await Interruptible.run { try await download(model, file).run() }
            }
            StandardOutput.write("\(global.store.path(of: model))\n")
        }

        private func download(_ model: CatalogueModel, _ file: HuggingFaceFile) throws(VoiceError) -> ModelDownload {
            ModelDownload(
                name: model.name,
                request: try file.request(environment: ProcessInfo.processInfo.environment),
                target: global.store.path(of: model),
                bytes: model.bytes,
                isBeginning: file.isBeginning,
                sha256: model.sha256,
                isTerminal: StandardError.isTerminal,
                display: { StandardError.write($0) }
            )
        }
    }
}

extension String {
    /// The text with spaces up to a width.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
