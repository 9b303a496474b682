internal import Conversation
internal import Foundation
internal import Simulation

/// Voice to voice over sessions as an SVG drawing: a panel for each device, a colour for each policy, a stroke for each
/// percentile. Both axes are logarithmic.
struct TurnTakingPlot {
    private struct Panel {
        static let width = 430.0
        static let height = 300.0
        static let left = 56.0
        static let top = 34.0
        static let plotWidth = width - left - 16
        static let plotHeight = height - top - 44

        var x: Double
        var y: Double
    }

    private static let legendHeight = 34.0
    /// Milliseconds from the bottom to the top; later answers are drawn at the top.
    private static let range = 150.0...20_000.0
    private static let ticks = [200.0, 500, 1000, 2000, 5000, 10_000, 20_000]
    /// Colours that people with any sight can tell apart (Okabe and Ito 2008, "Color universal design").
    private static let colours: [ReplyPolicy: String] = [
        .reference: "#d55e00", .interleaved: "#0072b2", .speculative: "#009e73",
    ]

    private enum Percentile: String, CaseIterable {
        case p50, p90, p99

        var dashes: String {
            switch self {
            case .p50: "none"
            case .p90: "6 3"
            case .p99: "1.5 3"
            }
        }

        func value(of figures: LatencyFigures) -> Double {
            switch self {
            case .p50: figures.p50
            case .p90: figures.p90
            case .p99: figures.p99
            }
        }
    }

    let rows: [TurnTakingRow]

    /// The drawing.
    var text: String {
        let devices = DeviceModel.known.filter { device in rows.contains { $0.device == device.name } }
        let columns = min(2, max(1, devices.count))
        let height = Double((devices.count + columns - 1) / columns) * Panel.height + Self.legendHeight
        let width = Double(columns) * Panel.width
        var lines = [
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 \(number(width)) \(number(height))' "
                + "font-family='sans-serif' font-size='12' fill='#222'>",
            "<rect width='100%' height='100%' fill='#fff'/>",
        ]
        for (index, device) in devices.enumerated() {
            let panel = Panel(
                x: Double(index % columns) * Panel.width,
                y: Double(index / columns) * Panel.height
            )
            lines += draw(device, in: panel)
        }
        lines += legend(at: height - Self.legendHeight / 2)
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    private var sessions: [Int] { Set(rows.map(\.sessions)).sorted() }

    // MARK: a panel

    private func draw(_ device: DeviceModel, in panel: Panel) -> [String] {
        var lines = [label(device.title, panel.x + Panel.left, panel.y + 20, "start", weight: "bold")]
        for tick in Self.ticks {
            let y = self.y(of: tick, panel)
            lines.append(line(panel.x + Panel.left, y, panel.x + Panel.left + Panel.plotWidth, y, "#ddd"))
            lines.append(label("\(Int(tick))", panel.x + Panel.left - 6, y + 4, "end"))
        }
        let bottom = panel.y + Panel.top + Panel.plotHeight
        for count in sessions {
            lines.append(label("\(count)", x(of: count, panel), bottom + 16, "middle"))
        }
        lines.append(label("sessions", panel.x + Panel.left + Panel.plotWidth / 2, bottom + 32, "middle"))
        lines.append(label("V2V, ms", panel.x + Panel.left + Panel.plotWidth, panel.y + 20, "end"))
        for policy in ReplyPolicy.allCases {
            let own = rows.filter { $0.device == device.name && $0.policy == policy && $0.v2v_ms.n > 0 }
                .sorted { $0.sessions < $1.sessions }
            guard !own.isEmpty else { continue }
            for percentile in Percentile.allCases { lines += curve(own, percentile, policy, panel) }
        }
        return lines
    }

    private func curve(
        _ rows: [TurnTakingRow],
        _ percentile: Percentile,
        _ policy: ReplyPolicy,
        _ panel: Panel
    ) -> [String] {
        let colour = Self.colours[policy] ?? "#000"
        let points = rows.map { (x(of: $0.sessions, panel), y(of: percentile.value(of: $0.v2v_ms), panel)) }
        let path = points.map { "\(number($0)),\(number($1))" }.joined(separator: " ")
        var lines = [
            "<polyline points='\(path)' fill='none' stroke='\(colour)' stroke-width='2' stroke-dasharray='\(percentile.dashes)'/>"
        ]
        guard percentile == .p50 else { return lines }
        for (x, y) in points { lines.append("<circle cx='\(number(x))' cy='\(number(y))' r='3' fill='\(colour)'/>") }
        return lines
    }

    private func x(of count: Int, _ panel: Panel) -> Double {
        let (low, high) = (log2(Double(sessions.first ?? 1)), log2(Double(sessions.last ?? 1)))
        let share = high > low ? (log2(Double(count)) - low) / (high - low) : 0.5
        return panel.x + Panel.left + 14 + share * (Panel.plotWidth - 28)
    }

    private func y(of milliseconds: Double, _ panel: Panel) -> Double {
        let value = min(max(milliseconds, Self.range.lowerBound), Self.range.upperBound)
        let share = log(value / Self.range.lowerBound) / log(Self.range.upperBound / Self.range.lowerBound)
        return panel.y + Panel.top + (1 - share) * Panel.plotHeight
    }

    // MARK: pieces

    private func legend(at y: Double) -> [String] {
        var lines: [String] = []
        var x = Panel.left
        for policy in ReplyPolicy.allCases where rows.contains(where: { $0.policy == policy }) {
            lines.append(line(x, y, x + 22, y, Self.colours[policy] ?? "#000", width: 2))
            lines.append(label(policy.rawValue, x + 28, y + 4, "start"))
            x += 120
        }
        for percentile in Percentile.allCases {
            lines.append(line(x, y, x + 22, y, "#222", width: 2, dashes: percentile.dashes))
            lines.append(label(percentile.rawValue, x + 28, y + 4, "start"))
            x += 66
        }
        lines.append(label("simulated", x + 10, y + 4, "start", weight: "bold"))
        return lines
    }

    private func line(
        _ x1: Double,
        _ y1: Double,
        _ x2: Double,
        _ y2: Double,
        _ colour: String,
        width: Double = 1,
        dashes: String = "none"
    ) -> String {
        "<line x1='\(number(x1))' y1='\(number(y1))' x2='\(number(x2))' y2='\(number(y2))' stroke='\(colour)' "
            + "stroke-width='\(number(width))' stroke-dasharray='\(dashes)'/>"
    }

    private func label(_ text: String, _ x: Double, _ y: Double, _ anchor: String, weight: String = "normal") -> String
    {
        "<text x='\(number(x))' y='\(number(y))' text-anchor='\(anchor)' font-weight='\(weight)'>\(text)</text>"
    }

    private func number(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
    }
}
