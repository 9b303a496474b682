internal import SpeechRecognition
internal import VoiceCore

/// What people should know about the recogniser in use: the page, `/health` and `serve` say it.
enum RecognizerAdvice {
    /// One or two sentences, for the recognisers that a better one should replace; nil for all others.
    static func text(for recognizer: any SpeechRecognizer) -> String? {
        if recognizer is PocketSphinxRecognizer { return "PocketSphinx understands clear speech roughly. \(full)" }
        guard recognizer.name == ModelCatalogue.starterRecognizer else { return nil }
        return "\(recognizer.name) is small and was trained on synthetic voices only. \(full)"
    }

    private static let full = "For the full recogniser (700 MB) run: repartee models pull nemotron-en"
}
