package import NIOCore
internal import SwiftProtobuf
package import VoiceCore

/// A frame of Pipecat's WebSocket protocol: values to and from bytes. `Tools/protobuf/frames.proto` is the format.
package enum PipecatFrame: Sendable, Equatable {
    /// Text.
    case text(String)
    /// Sound, mixed down to one channel.
    case audio([Float], SampleRate)
    /// What somebody said.
    case transcription(String)
    /// JSON text; RTVI messages come in it.
    case message(String)
    /// What was being said is cut off.
    case interruption
    /// A frame of a later version: nothing to do.
    case unknown

    /// What a message of the peer cannot be.
    package enum Problem: Error, Equatable {
        /// No protobuf message of this form.
        case malformed
        /// Sound without a rate from 8 to 96 kHz, or without 1 to 8 channels.
        case unplayable
    }

    /// Reads a binary message. Any bytes are legal input.
    package init(reading bytes: ByteBuffer) throws(Problem) {
        let frame: WireFrame
        do { frame = try WireFrame(serializedBytes: Array(bytes.readableBytesView)) } catch { throw .malformed }
        switch frame.frame {
        case .text(let text): self = .text(text.text)
        case .audio(let audio): self = try Self.sound(audio)
        case .transcription(let spoken): self = .transcription(spoken.text)
        case .message(let message): self = .message(message.data)
        case .interruption: self = .interruption
        case nil: self = .unknown
        }
    }

    private static func sound(_ audio: WireAudioRawFrame) throws(Problem) -> PipecatFrame {
        guard let hertz = Int(exactly: audio.sampleRate), BrowserProtocol.rates.contains(hertz),
            let channels = Int(exactly: audio.numChannels), (1...8).contains(channels)
        else { throw .unplayable }
        return .audio(PCM16Frames.mono([UInt8](audio.audio), channels: channels), SampleRate(hertz))
    }

    /// Writes a binary message.
    ///
    /// - Parameter id: a number that tells frames apart.
    package func bytes(id: UInt64) -> ByteBuffer {
        var frame = WireFrame()
        switch self {
        case .text(let text): frame.text = .with { ($0.id, $0.name, $0.text) = (id, "text", text) }
        case .audio(let samples, let rate):
            frame.audio = .with {
                ($0.id, $0.name, $0.numChannels) = (id, "audio", 1)
                $0.audio = PCM16Frames.data(samples)
                $0.sampleRate = UInt32(clamping: rate.hertz)
            }
        case .transcription(let text):
            frame.transcription = .with { ($0.id, $0.name, $0.text) = (id, "transcription", text) }
        case .message(let json): frame.message = .with { $0.data = json }
        case .interruption: frame.interruption = .with { ($0.id, $0.name) = (id, "interruption") }
        case .unknown: break
        }
        // Strings are valid and no field is required, so there is nothing that could fail.
        let bytes: [UInt8] = (try? frame.serializedBytes()) ?? []
        return ByteBuffer(bytes: bytes)
    }
}
