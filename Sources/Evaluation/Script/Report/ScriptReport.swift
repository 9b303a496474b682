package import VoiceCore

/// The results of a whole run, for people and for programs.
package struct ScriptReport: Sendable {
    /// One for each scenario and run, in the order of the files.
    package var results: [ScriptResult]

    /// Makes a report.
    package init(_ results: [ScriptResult]) { self.results = results }

    /// How many passed.
    package var passed: Int { results.count { $0.status == .passed } }
    /// How many failed.
    package var failed: Int { results.count { $0.status == .failed } }
    /// How many were not run.
    package var skipped: Int { results.count - passed - failed }

    /// One object with all results.
    package var json: JSONValue {
        [
            "passed": .number(Double(passed)), "failed": .number(Double(failed)), "skipped": .number(Double(skipped)),
            "scenarios": .array(results.map(\.json)),
        ]
    }

    /// A line for each result, and for each failure what was expected, what came, and when.
    package var text: String {
        var lines: [String] = []
        for result in results {
            let run = results.contains { $0.name == result.name && $0.run > 1 } ? " (run \(result.run))" : ""
            let seconds = (result.duration.milliseconds / 100).rounded() / 10
            switch result.status {
            case .passed: lines.append("pass  \(result.name)\(run)  \(seconds) s")
            case .failed: lines.append("FAIL  \(result.name)\(run)  \(seconds) s")
            case .skipped(let reason): lines.append("skip  \(result.name)\(run): \(reason)")
            }
            lines += result.failures.map { "      \($0.line(in: result))" }
        }
        lines.append("\(passed) passed, \(failed) failed, \(skipped) skipped")
        return lines.joined(separator: "\n")
    }

    /// JUnit's XML, as GitHub, GitLab and Jenkins read it: a suite for each file, a case for each scenario and run.
    package var junit: String {
        var files: [String] = []
        for result in results where !files.contains(result.file) { files.append(result.file) }
        let suites = files.map { file in suite(file, results.filter { $0.file == file }) }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites tests="\(results.count)" failures="\(failed)" skipped="\(skipped)">
            \(suites.joined(separator: "\n"))
            </testsuites>

            """
    }

    private func suite(_ file: String, _ results: [ScriptResult]) -> String {
        let report = ScriptReport(results)
        let cases = results.map { result in
            let name = result.run > 1 ? "\(result.name) (run \(result.run))" : result.name
            let content: String
            switch result.status {
            case .passed: content = ""
            case .skipped(let reason): content = "<skipped message=\"\(Self.escape(reason))\"/>"
            case .failed:
                let lines = result.failures.map { $0.line(in: result) }
                let first = Self.escape(lines.first ?? "")
                let kind = result.failures.first?.kind.rawValue ?? "error"
                content =
                    "<failure type=\"\(kind)\" message=\"\(first)\">\(Self.escape(lines.joined(separator: "\n")))</failure>"
            }
            let seconds = result.duration.milliseconds / 1000
            return
                "    <testcase classname=\"\(Self.escape(file))\" name=\"\(Self.escape(name))\" time=\"\(seconds)\">\(content)</testcase>"
        }
        return """
              <testsuite name="\(Self.escape(file))" tests="\(results.count)" failures="\(report.failed)" skipped="\(report.skipped)">
            \(cases.joined(separator: "\n"))
              </testsuite>
            """
    }

    /// Text as XML has it; what no XML can hold is left out.
    private static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case "\t", "\r": result += " "
            case let scalar where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension ScriptFailure {
    /// Where, what was expected, and what came.
    fileprivate func line(in result: ScriptResult) -> String {
        guard turn >= 0 else { return "\(event): \(reason) [\(kind.rawValue)]" }
        let said = result.turns.indices.contains(turn) ? result.turns[turn].user.map { " '\($0)'" } ?? "" : ""
        let place = expectation < 0 ? "" : ", expectation \(expectation)"
        return "turn \(turn)\(said)\(place) (\(event)): \(reason) [\(kind.rawValue)]"
    }
}
