internal import SpeechRecognition
internal import VoiceCore

/// What people should know about the recogniser in use: the page, `/health` and `serve` say it.
enum RecognizerAdvice {
    /// One or two sentences, for the recognisers that a better one should replace; nil for all others.
    static func text(for recognizer: any SpeechRecognizer) -> String? {
        guard recognizer is PocketSphinxRecognizer else { return nil }
        return "PocketSphinx understands clear speech roughly. \(full)"
    }

    private static let full = "For the full recogniser (700 MB) run: repartee models pull nemotron-en"
}
