internal import Synchronization
internal import VoiceCore

/// One text being spoken: begins one piece after the other as its consumer asks for chunks. When the consumer drops it,
/// flite stops.
final class FliteSpeech: Sendable {
    private struct State {
        var pieces: ArraySlice<ArraySlice<SpeakableText.Word>>
        /// Samples of the pieces made so far.
        var position = 0
    }

    private let voice: FliteVoice
    private let queue = SpeechQueue()
    private let state: Mutex<State>

    init(voice: FliteVoice, pieces: [ArraySlice<SpeakableText.Word>]) {
        self.voice = voice
        state = Mutex(State(pieces: pieces[...]))
    }

    deinit { queue.cancel() }

    /// The next chunk, or nil after the last one and after cancellation. One caller at a time.
    func next() async throws(VoiceError) -> SpeechChunk? {
        while true {
            switch try await queue.next() {
            case .chunk(let chunk):
                state.withLock { $0.position += chunk.samples.count }
                return chunk
            case .cancelled: return nil
            case .pieceFinished: guard beginPiece() else { return nil }
            }
        }
    }

    private func beginPiece() -> Bool {
        let (piece, base) = state.withLock { ($0.pieces.popFirst(), $0.position) }
        guard let piece else { return false }
        queue.begin()
        FliteThread.shared.submit { [voice, queue] in
            guard !queue.isCancelled else { return }
            do throws(VoiceError) {
                try FlitePiece.speak(piece, voice: voice, base: base, into: queue)
                queue.finish()
            } catch {
                queue.finish(error)
            }
        }
        return true
    }
}
