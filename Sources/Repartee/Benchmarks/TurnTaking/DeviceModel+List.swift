internal import ArgumentParser
internal import Foundation
internal import Simulation

extension DeviceModel {
    /// The devices of an option such as `--device h200,cpu`.
    /// - Throws: `ValidationError` when there is no such device.
    static func list(_ text: String) throws -> [DeviceModel] {
        try [String](listed: text).map { name in
            guard let device = DeviceModel.named(name) else {
                let names = DeviceModel.known.map(\.name).joined(separator: ", ")
                throw ValidationError("'\(name)' is not a device: \(names).")
            }
            return device
        }
    }
}

extension [String] {
    /// The words of an option's list, with commas between.
    /// - Throws: `ValidationError` when there are none.
    init(listed text: String) throws {
        self = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard !isEmpty else { throw ValidationError("A list is empty.") }
    }
}
