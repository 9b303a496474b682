internal import SpeechSynthesis
internal import Testing
internal import VoiceCore

@testable internal import Repartee

@Suite struct VoiceChoiceTests {
    @Test func `a voice is found by name or refused with the list`() throws {
        #expect(try VoiceChoice(named: "flite-rms") == .flite(.rms))
        #expect(try VoiceChoice(named: "slt") == .flite(.slt))
        #expect(try VoiceChoice(named: "joe") == .joe)
        #expect(try VoiceChoice(named: "piper-joe") == .joe)
        #expect(try VoiceChoice(named: "magpie") == .magpie(speaker: nil))
        #expect(try VoiceChoice(named: "sofia") == .magpie(speaker: "sofia"))
        #expect(try VoiceChoice(named: "magpie:Someone") == .magpie(speaker: "Someone"))
        let error = #expect(throws: VoiceError.self) { try VoiceChoice(named: "bob") }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("slt, rms, awb, kal16, joe, aria") == true)
    }

    @Test func `every voice of the list can be had`() throws {
        for (name, _) in VoiceChoice.all { _ = try VoiceChoice(named: name) }
    }
}
