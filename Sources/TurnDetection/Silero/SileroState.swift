/// What Silero VAD remembers of one stream from window to window.
package struct SileroState: Sendable, Equatable {
    /// The last samples of the window before, in [-1, 1].
    var context: [Float]
    /// The LSTM's output.
    var hidden: [Float]
    /// The LSTM's cell.
    var cell: [Float]

    /// The state of a stream that has heard nothing.
    package init(_ hyperparameters: SileroHyperparameters) {
        context = [Float](repeating: 0, count: hyperparameters.contextLength)
        hidden = [Float](repeating: 0, count: hyperparameters.hiddenSize)
        cell = hidden
    }
}
