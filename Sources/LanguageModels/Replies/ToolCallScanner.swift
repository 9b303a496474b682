internal import VoiceCore

/// Reads one block of calls, byte by byte, to its end.
///
/// Which form a block has it shows itself: models that were taught one sometimes write the other.
struct ToolCallScanner: Sendable {
    /// What a block held.
    struct Outcome: Sendable {
        var calls: [WrittenCall] = []
        /// What is wrong with the rest.
        var error: MalformedToolCall?
    }

    private enum Part {
        case start, json, elements
        /// After a call.
        case between
        /// What is left of a block in which something is wrong.
        case rest
    }

    /// A call that is longer is none.
    static let longest = 65_536
    /// So much of a malformed call is kept for people to see.
    private static let shown = 500

    private let format: ToolCallFormat
    private var part = Part.start
    private var json = JSONExtent()
    private var elements = ElementScanner()
    private var end = Marker("</tool_call>")
    private var next = Marker("<function=")
    private var outcome = Outcome()
    private var count = 0
    /// The beginning of the block, for an error.
    private var text: [UInt8]

    init(_ format: ToolCallFormat) {
        self.format = format
        text = format == .tagged ? Array("<tool_call>".utf8) : []
    }

    /// Reads bytes, and removes from them what belongs to the block.
    /// - Returns: what it held; nil while it goes on.
    mutating func feed(_ bytes: inout [UInt8]) -> Outcome? {
        for (index, byte) in bytes.enumerated() where take(byte) {
            bytes.removeFirst(index + 1)
            return closed()
        }
        bytes.removeAll(keepingCapacity: true)
        return nil
    }

    /// The reply ends.
    mutating func finish() -> Outcome {
        switch part {
        case .start: refuse("The call is not finished: what is to be called is missing.")
        case .json: refuse("The call is not finished: the end of the object is missing.")
        case .elements: refuse("The call is not finished: \(elements.missing) is missing.", elements.name)
        case .between, .rest: break
        }
        return closed()
    }

    /// Reads a byte; true when it was the block's last.
    private mutating func take(_ byte: UInt8) -> Bool {
        if text.count < Self.shown { text.append(byte) }
        let isEnd = end.take(byte) && format == .tagged
        count += 1
        if count > Self.longest { refuse("The call is longer than \(Self.longest / 1024) KiB.") }
        switch part {
        case .start: start(byte)
        case .json:
            let isOver = json.take(byte)
            if isOver { read() } else if isEnd, !json.isInText { refuse("The object of the call has no end.") }
            if format == .bare, isOver { return true }
        case .elements:
            switch elements.take(byte) {
            case .more: break
            case .complete:
                outcome.calls.append(elements.call)
                part = .between
            case .broken(let problem): refuse(problem, elements.name)
            }
        case .between:
            if next.take(byte) {
                part = .elements
                elements = ElementScanner(isOpened: true)
            } else if Self.opensJSON(byte) {
                start(byte)
            }
        case .rest: break
        }
        guard isEnd else { return false }
        // What stands in a text or a value is no end.
        return part == .between || part == .rest
    }

    private mutating func start(_ byte: UInt8) {
        if ReplyParser.isSpace(byte) { return }
        if Self.opensJSON(byte) {
            json = JSONExtent()
            part = .json
            _ = json.take(byte)
        } else if byte == UInt8(ascii: "<"), format == .tagged {
            part = .elements
            elements = ElementScanner()
            _ = elements.take(byte)
        } else {
            refuse("A call must be \(format == .tagged ? "<function=NAME> or " : "")an object of JSON.")
        }
    }

    private mutating func read() {
        do throws(WrittenCall.Problem) {
            outcome.calls += try WrittenCall.read(json: json.text)
            part = .between
        } catch {
            refuse(error.sentence, error.name)
        }
    }

    private mutating func refuse(_ problem: String, _ name: String? = nil) {
        part = .rest
        guard outcome.error == nil else { return }
        outcome.error = MalformedToolCall(name: name, text: "", problem: problem)
    }

    private mutating func closed() -> Outcome {
        outcome.error?.text = String(decoding: text, as: UTF8.self)
        return outcome
    }

    private static func opensJSON(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") }
}
