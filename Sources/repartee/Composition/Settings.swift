internal import Conversation
internal import LanguageModels
internal import VoiceCore
internal import VoiceServer

/// Everything that a person can set, with defaults that work. `docs/configuration.md` documents each.
struct Settings: Sendable {
    /// How the agent behaves.
    var conversation = ConversationConfiguration()
    /// The name in the catalogue, or the path, of the language model.
    var languageModel = ModelCatalogue.defaultLanguageModel
    /// How the language model is loaded.
    var languageModelConfiguration = LlamaLanguageModel.Configuration()
    /// The voice's name.
    var voice = "slt"
    /// Where the server listens.
    var host = "127.0.0.1"
    /// The server's port.
    var port = 7860
    /// Conversations at the same time.
    var maxSessions = 4
    /// Web pages of these origins may connect, besides the server's own.
    var allowedOrigins: [String] = []
}
