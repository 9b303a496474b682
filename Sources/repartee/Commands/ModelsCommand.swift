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
                    model.name.padded(to: 18), model.role.rawValue.padded(to: 16), size.padded(to: 8),
                    model.licence.padded(to: 14), global.store.state(of: model).rawValue,
                ]
                StandardOutput.write(columns.joined(separator: " ") + "\n")
            }
            StandardOutput.write("in \(global.store.directory)\n")
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Reads every model and compares its SHA-256.")

        @OptionGroup var global: GlobalOptions

        func run() async throws {
            var bad: [String] = []
            for model in ModelCatalogue.all {
                let state = try global.store.verifiedState(of: model)
                StandardOutput.write("\(model.name.padded(to: 18)) \(state.rawValue)\n")
                if state != .verified { bad.append(model.name) }
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
            abstract: "Fetches a model: shows progress, resumes, verifies SHA-256."
        )

        @OptionGroup var global: GlobalOptions
        @OptionGroup var name: Name

        func run() async throws {
            let model = try name.model()
            if try global.store.verifiedState(of: model) == .verified {
                StandardOutput.write("\(model.name) is there and right: \(global.store.path(of: model))\n")
                return
            }
            StandardError.print("\(model.name): \(model.licence), \(model.origin)")
            try ModelFetcher(store: global.store).fetch()
            guard try global.store.verifiedState(of: model) == .verified else {
                throw VoiceError(.fault, "\(global.store.path(of: model)) is still not right after it was fetched")
            }
            StandardOutput.write("\(global.store.path(of: model))\n")
        }
    }
}

extension String {
    /// The text with spaces up to a width.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
