/// A machine that agents run on, in figures.
///
/// The figures are in `DeviceModel+Known.swift`, each with its source.
package struct DeviceModel: Sendable, Equatable {
    /// Its name on the command line.
    package let name: String
    /// What it is, for people.
    package let title: String
    /// Where the costs of our engines come from, for people.
    package let evidence: String
    /// The processor's cores.
    let cores: Int
    /// Whether language model and voice activity share the processor: there is no other device.
    let sharesProcessor: Bool
    /// Our engines.
    let ours: StackCosts
    /// The stack that we compare ourselves with, in processes of its own, as it was published; nil where it was not.
    let published: StackCosts?
    /// Voice to voice of that stack in the median, as published, in milliseconds.
    package let publishedVoiceToVoice: Double?
}
