/// Where a run of samples begins and ends to be audible.
///
/// Latencies are measured from the last audible sample of the person to the first audible one of the agent; both sides
/// use this one definition.
package enum SpeechEdge {
    /// A sample is audible when its magnitude exceeds 500 of 32768 (-36 dBFS), the threshold of the voice-to-voice
    /// measurements that ours are compared with.
    package static let audible: Float = 500 / 32_768

    /// The index of the first sample whose magnitude exceeds `threshold`, or nil.
    package static func first(in samples: [Float], above threshold: Float = audible) -> Int? {
        samples.firstIndex { abs($0) > threshold }
    }

    /// The index of the last sample whose magnitude exceeds `threshold`, or nil.
    package static func last(in samples: [Float], above threshold: Float = audible) -> Int? {
        samples.lastIndex { abs($0) > threshold }
    }
}
