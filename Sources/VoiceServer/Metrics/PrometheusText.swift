/// The text format of Prometheus, version 0.0.4 (prometheus.io, "Exposition formats").
enum PrometheusText {
    /// The media type of the format.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A name with only the characters that a metric's name may have, `[a-zA-Z_:][a-zA-Z0-9_:]*`; others become `_`.
    static func name(_ label: String) -> String {
        var name = ""
        for character in label.unicodeScalars {
            switch character {
            case "a"..."z", "A"..."Z", "_", ":": name.unicodeScalars.append(character)
            case "0"..."9" where !name.isEmpty: name.unicodeScalars.append(character)
            default: name.append("_")
            }
        }
        return name.isEmpty ? "_" : name
    }

    /// Labels as they stand between braces, sorted: `code="usage",kind="http"`. Empty without any.
    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.sorted { $0 < $1 }
            .map { "\(name($0.0).replacing(":", with: "_"))=\"\(escaped($0.1))\"" }
            .joined(separator: ",")
    }

    /// Everything about one name.
    static func family(_ name: String, _ family: PrometheusRegistry.Family, _ bounds: [Double]) -> String {
        var text = "# TYPE \(name) \(family.kind.rawValue)\n"
        for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
            switch series.snapshot {
            case .value(let value): text += line(name, labels, number(value))
            case .histogram(let counts, let total, let sum):
                for (bound, count) in zip(bounds, counts) {
                    text += line(name + "_bucket", join(labels, "le=\"\(number(bound))\""), "\(count)")
                }
                text += line(name + "_bucket", join(labels, "le=\"+Inf\""), "\(total)")
                text += line(name + "_sum", labels, number(sum)) + line(name + "_count", labels, "\(total)")
            }
        }
        return text
    }

    private static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private static func join(_ labels: String, _ label: String) -> String {
        labels.isEmpty ? label : labels + "," + label
    }

    /// Whole numbers without a fraction.
    private static func number(_ value: Double) -> String {
        Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
