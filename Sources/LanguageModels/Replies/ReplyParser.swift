internal import VoiceCore

/// Takes a model's words apart as they stream: what is said, what is thought, what is called.
///
/// A value: text in, events out. However the words are split into pieces, the events are the same but for where texts are
/// split. No part of the markup ever comes out as text; what could become markup is held back until it is clear, which is at
/// most the next few characters.
struct ReplyParser: Sendable {
    private enum State { case thinking, answering, calling }
    private enum Skipped { case nothing, space, separators }

    /// What stands between what is said, thought and called.
    private enum Mark: String {
        case thought = "<think>"
        case thoughtEnd = "</think>"
        case call = "<tool_call>"
        case python = "<|python_tag|>"
        /// A brace that begins a call, which is part of it.
        case brace = ""
    }

    /// White space before markup belongs to it, up to so many bytes, and is held back for that long.
    private static let longestSpace = 64

    private let thinks: Bool
    private let calls: ToolCallFormat?
    private let tools: [ToolDeclaration]
    private let callPrefix: String

    private var state: State
    private var pending: [UInt8] = []
    private var call = ToolCallScanner(.tagged)
    private var callCount = 0
    /// What comes next and is part of the markup before it.
    private var skips: Skipped
    /// Whether nothing but white space stands on the line before `pending`.
    private var isLineBlank: Bool

    /// - Parameters:
    ///   - format: how calls are written; nil where a model writes none.
    ///   - tools: what it may call. Their schemas say what the values of parameters are.
    ///   - thinks: whether `<think>` and `</think>` are markup.
    ///   - beginsInThought: whether the prompt has opened the thoughts already.
    ///   - beginsInLine: whether words stand before the reply on its first line.
    ///   - callPrefix: what the identifiers of its calls begin with, unlike those of any other reply.
    init(
        calls format: ToolCallFormat?,
        tools: [ToolDeclaration],
        thinks: Bool,
        beginsInThought: Bool,
        beginsInLine: Bool = false,
        callPrefix: String
    ) {
        calls = format
        self.tools = tools
        self.thinks = thinks
        self.callPrefix = callPrefix
        state = beginsInThought ? .thinking : .answering
        skips = beginsInThought ? .space : .nothing
        isLineBlank = !beginsInLine
    }

    /// Whether the model is thinking.
    var isThinking: Bool { state == .thinking }
    /// Whether it is saying what it wants done.
    var isCalling: Bool { state == .calling }
    /// Whether characters are held back that may be text.
    var isHolding: Bool { !pending.isEmpty }

    /// Reads the next words.
    mutating func feed(_ piece: String) -> [ReplyEvent] {
        // Most models say nothing but text.
        if !thinks, calls == nil { return piece.isEmpty ? [] : [.text(piece)] }
        pending += piece.utf8
        var events: [ReplyEvent] = []
        while advance(&events) {}
        return events
    }

    /// Reads the end of the reply. A call that is complete but for its last mark counts; another one is malformed.
    mutating func finish() -> [ReplyEvent] {
        var events: [ReplyEvent] = []
        if state == .calling { end(call.finish(), &events) }
        // Of what begins like markup, only a single sign can have been meant as text.
        let brace = state == .answering ? firstBrace() : nil
        let begun = max(begunMarkup, brace.map { pending.count - $0.position } ?? 0)
        if begun > 1 { pending.removeLast(begun) }
        emit(pending.count, trims: false, &events)
        return events
    }

    // MARK: - Steps

    /// Does the next step; false when more words are needed.
    private mutating func advance(_ events: inout [ReplyEvent]) -> Bool {
        if state == .calling {
            guard let outcome = call.feed(&pending) else { return false }
            end(outcome, &events)
            return true
        }
        if skips != .nothing {
            pending.removeFirst(pending.firstIndex { !isSkipped($0) } ?? pending.count)
            guard !pending.isEmpty else { return false }
            skips = .nothing
        }
        guard let (start, mark) = firstMark() else { return release(&events) }
        // The space before the end of thoughts and before a call belongs to the markup.
        let isThought = mark == .thought || mark == .thoughtEnd
        emit(start, trims: isThought ? state == .thinking && mark == .thoughtEnd : true, &events)
        pending.removeFirst(mark.rawValue.utf8.count)
        enter(mark)
        return true
    }

    private mutating func enter(_ mark: Mark) {
        switch mark {
        case .thought: state = .thinking
        case .thoughtEnd: state = .answering
        case .call, .python, .brace:
            state = .calling
            call = ToolCallScanner(mark == .call ? .tagged : .bare)
        }
        skips = state == .calling ? .nothing : .space
    }

    /// The next mark, and where it begins.
    private mutating func firstMark() -> (position: Int, mark: Mark)? {
        let found = marks.compactMap { mark in Self.first(mark, in: pending).map { (position: $0, mark: mark) } }
            .min { $0.position < $1.position }
        guard state == .answering, let brace = firstBrace(), brace.isCall, brace.position < found?.position ?? .max
        else { return found }
        return (brace.position, .brace)
    }

    /// Lets out what cannot become markup any more.
    private mutating func release(_ events: inout [ReplyEvent]) -> Bool {
        var kept = pending.count - begunMarkup
        if state == .answering, let brace = firstBrace() { kept = min(kept, brace.position) }
        if state == .thinking || calls != nil { kept -= Self.spaces(before: kept, in: pending) }
        emit(kept, trims: false, &events)
        return false
    }

    /// Lets out the first bytes.
    private mutating func emit(_ count: Int, trims: Bool, _ events: inout [ReplyEvent]) {
        let spaces = trims ? Self.spaces(before: count, in: pending) : 0
        let text = String(decoding: pending[..<(count - spaces)], as: UTF8.self)
        for byte in pending[..<count] { isLineBlank = byte == Self.newline || isLineBlank && Self.isSpace(byte) }
        pending.removeFirst(count)
        guard !text.isEmpty else { return }
        events.append(state == .thinking ? .reasoning(text) : .text(text))
    }

    private mutating func end(_ outcome: ToolCallScanner.Outcome, _ events: inout [ReplyEvent]) {
        state = .answering
        // Calls that follow a call need no line of their own.
        skips = calls == .bare ? .separators : .space
        isLineBlank = true
        for written in outcome.calls {
            callCount += 1
            events.append(.toolCall(written.call(id: callPrefix + "\(callCount)", tools)))
        }
        if let error = outcome.error { events.append(.malformedCall(error)) }
    }

    // MARK: - Markup

    private static let newline = UInt8(ascii: "\n")

    /// What is markup at this point.
    private var marks: [Mark] {
        switch (state, calls) {
        case (.thinking, _), (_, nil): [.thoughtEnd, .thought]
        case (_, .tagged?): thinks ? [.call, .thoughtEnd, .thought] : [.call]
        case (_, .bare?): [.python]
        }
    }

    /// How many bytes at the end may be the beginning of markup.
    private var begunMarkup: Int { marks.reduce(0) { max($0, Self.overlap(pending, $1)) } }

    /// The first brace that stands first on its line and begins a call, or may begin one.
    private func firstBrace() -> (position: Int, isCall: Bool)? {
        // Only where somebody waits for calls is it one.
        guard calls == .bare, !tools.isEmpty else { return nil }
        var isBlank = isLineBlank
        for (index, byte) in pending.enumerated() {
            if byte == UInt8(ascii: "{"), isBlank {
                switch CallOpening.isCall(pending[index...]) {
                case true?: return (index, true)
                case nil: return (index, false)
                case false?: break
                }
            }
            isBlank = byte == Self.newline || isBlank && Self.isSpace(byte)
        }
        return nil
    }

    private func isSkipped(_ byte: UInt8) -> Bool {
        Self.isSpace(byte) || skips == .separators && (byte == UInt8(ascii: ";") || byte == UInt8(ascii: ","))
    }

    private static func first(_ mark: Mark, in bytes: [UInt8]) -> Int? {
        let name = mark.rawValue.utf8
        guard bytes.count >= name.count else { return nil }
        return (0...(bytes.count - name.count)).first { bytes[$0] == name.first && bytes[$0...].starts(with: name) }
    }

    /// How many bytes at the end begin the mark.
    private static func overlap(_ bytes: [UInt8], _ mark: Mark) -> Int {
        let name = mark.rawValue.utf8
        return (1..<name.count).reversed().first { bytes.suffix($0).elementsEqual(name.prefix($0)) } ?? 0
    }

    private static func spaces(before end: Int, in bytes: [UInt8]) -> Int {
        bytes[..<end].suffix(longestSpace).reversed().prefix(while: isSpace).count
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}
