internal import Foundation

/// Draws scores: the share of false cuts against the mean wait, a line for each family. An SVG of its own, without script.
struct EndpointPlot {
    /// A family's line, its marked points, and what they are.
    struct Line {
        var name: String
        var points: [(wait: Double, cuts: Double)]
        var marks: [(wait: Double, cuts: Double, label: String)]
    }

    var title: String
    var lines: [Line]

    private let width = 760.0
    private let height = 480.0
    private let left = 64.0
    private let right = 20.0
    private let top = 40.0
    private let bottom = 52.0
    private let colours = ["#8a8a8a", "#c2571a", "#b8860b", "#1f6fb2", "#2a8a3e"]

    /// The picture.
    var svg: String {
        var parts = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(text(width)) \#(text(height))" "#
                + #"font-family="system-ui, sans-serif" font-size="12">"#,
            #"<rect width="100%" height="100%" fill="white"/>"#,
            label(title, width / 2, 16, anchor: "middle", size: 14),
            label("mean wait after the last sound, ms", (left + width - right) / 2, height - 12, anchor: "middle"),
            label("false cuts, % of the pauses inside turns", left - 50, top - 6),
        ]
        parts += axes
        for (index, line) in lines.enumerated() {
            let colour = colours[index % colours.count]
            let points = line.points.map { "\(text(x($0.wait))),\(text(y($0.cuts)))" }.joined(separator: " ")
            parts.append(#"<polyline points="\#(points)" fill="none" stroke="\#(colour)" stroke-width="2"/>"#)
            for point in line.points { parts.append(dot(point.wait, point.cuts, 2, colour)) }
            for mark in line.marks {
                parts.append(dot(mark.wait, mark.cuts, 5, colour))
                parts.append(label(mark.label, x(mark.wait) + 8, y(mark.cuts) - 6, colour: colour))
            }
            let row = top + 14 + 18 * Double(index)
            parts.append(
                #"<path d="M\#(text(width - 250)) \#(text(row - 4))h24" stroke="\#(colour)" stroke-width="2"/>"#
            )
            parts.append(label(line.name, width - 220, row))
        }
        return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private var longest: Double {
        let most = lines.flatMap(\.points).map(\.wait).max() ?? 1000
        return (most / 200).rounded(.up) * 200
    }

    private var axes: [String] {
        stride(from: 0, through: 100, by: 20).flatMap { percent in
            [
                #"<path d="M\#(text(left)) \#(text(y(percent)))H\#(text(width - right))" stroke="gainsboro"/>"#,
                label(text(percent), left - 8, y(percent) + 4, anchor: "end"),
            ]
        }
            + stride(from: 0, through: longest, by: 200).flatMap { wait in
                [
                    #"<path d="M\#(text(x(wait))) \#(text(top))V\#(text(height - bottom))" stroke="gainsboro"/>"#,
                    label(text(wait), x(wait), height - bottom + 18, anchor: "middle"),
                ]
            }
    }

    private func x(_ wait: Double) -> Double { left + wait / longest * (width - left - right) }

    private func y(_ percent: Double) -> Double { height - bottom - percent / 100 * (height - top - bottom) }

    private func dot(_ wait: Double, _ cuts: Double, _ radius: Double, _ colour: String) -> String {
        #"<circle cx="\#(text(x(wait)))" cy="\#(text(y(cuts)))" r="\#(text(radius))" fill="\#(colour)"/>"#
    }

    private func label(
        _ words: String,
        _ x: Double,
        _ y: Double,
        anchor: String = "start",
        size: Int = 12,
        colour: String = "#222222"
    ) -> String {
        #"<text x="\#(text(x))" y="\#(text(y))" text-anchor="\#(anchor)" font-size="\#(size)" fill="\#(colour)">"#
            + words.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;") + "</text>"
    }

    private func text(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }
}
