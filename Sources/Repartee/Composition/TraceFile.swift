internal import Foundation
internal import Inference
internal import Synchronization
internal import VoiceCore

/// A trace in the JSON that chrome://tracing and ui.perfetto.dev open: an array of complete events, times in µs
/// ("Trace Event Format", Google, 2016). A group is a process there, a row a thread.
///
/// What a viewer can open is there even if the process is killed but for the last moment: the closing bracket is optional.
final class TraceFile: Sendable {
    /// Spans of an hour of a busy conversation; what comes later is counted and left out.
    private static let most = 1_000_000
    private static let buffer = 1 << 16

    private struct State: ~Copyable {
        let file: FileHandle
        var pending = Data("[".utf8)
        var count = 0
        var dropped = 0
        var groups: [String: Int] = [:]
        var rows: [String: Int] = [:]
        var hasFailed = false
    }

    private struct Event: Encodable {
        var name: String
        var ph: String
        var pid: Int
        var tid: Int
        var ts: Double
        var dur: Double?
        var args: [String: String]
    }

    private let path: String
    private let state: Mutex<State>

    /// Creates the file, or empties it.
    /// - Throws: ``VoiceError/Code/usage`` when it cannot be written.
    init(path: String) throws(VoiceError) {
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { throw VoiceError(.usage, "the trace \(path) cannot be written") }
        self.path = path
        state = Mutex(State(file: file))
    }

    /// Takes a span.
    func record(_ span: TraceSpan) {
        state.withLock { state in
            guard state.count < Self.most else {
                state.dropped += 1
                return
            }
            let (pid, tid) = Self.place(span, &state)
            let duration = max(.zero, span.end - span.start)
            Self.write(
                Event(
                    name: span.name,
                    ph: "X",
                    pid: pid,
                    tid: tid,
                    ts: span.start.milliseconds * 1000,
                    dur: duration.milliseconds * 1000,
                    args: span.details
                ),
                &state
            )
            if state.pending.count >= Self.buffer { Self.flush(&state) }
        }
    }

    /// Takes the spans of conversations.
    var sink: TraceSink { { span in self.record(span) } }

    /// Takes the quanta of the device `name`.
    func observer(of name: String) -> @Sendable (Quantum) -> Void {
        { quantum in
            let request = quantum.request
            let details = [
                "class": "\(request.quantumClass)", "owner": "\(request.owner)", "units": "\(request.units)",
                "waited_ms": String(format: "%.2f", quantum.wait.milliseconds), "late": "\(quantum.isLate)",
            ]
            self.record(
                TraceSpan(
                    group: name,
                    row: "quanta",
                    name: request.kind.description,
                    start: quantum.started,
                    end: quantum.ended,
                    details: details
                )
            )
        }
    }

    /// Completes the file and tells on standard error what is missing from it.
    func close() {
        state.withLock { state in
            state.pending.append(contentsOf: "\n]\n".utf8)
            Self.flush(&state)
            if state.dropped > 0 { StandardError.print("warning: the last \(state.dropped) spans are not in \(path)") }
            if state.hasFailed { StandardError.print("warning: \(path) is not complete: the disk may be full") }
        }
    }

    /// The numbers of a span's group and row; new ones are named in the file.
    private static func place(_ span: TraceSpan, _ state: inout State) -> (pid: Int, tid: Int) {
        let pid = state.groups[span.group] ?? state.groups.count + 1
        if state.groups.updateValue(pid, forKey: span.group) == nil {
            name("process_name", span.group, pid, 0, &state)
        }
        let key = "\(pid) \(span.row)"
        let tid = state.rows[key] ?? state.rows.count + 1
        if state.rows.updateValue(tid, forKey: key) == nil { name("thread_name", span.row, pid, tid, &state) }
        return (pid, tid)
    }

    private static func name(_ what: String, _ name: String, _ pid: Int, _ tid: Int, _ state: inout State) {
        write(Event(name: what, ph: "M", pid: pid, tid: tid, ts: 0, dur: nil, args: ["name": name]), &state)
    }

    private static func write(_ event: Event, _ state: inout State) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(event) else { return }
        state.pending.append(contentsOf: state.count == 0 ? "\n".utf8 : ",\n".utf8)
        state.pending.append(json)
        state.count += 1
    }

    private static func flush(_ state: inout State) {
        do { try state.file.write(contentsOf: state.pending) } catch { state.hasFailed = true }
        state.pending.removeAll(keepingCapacity: true)
    }
}
