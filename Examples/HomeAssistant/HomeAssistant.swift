internal import Conversation
internal import Foundation
internal import Repartee
internal import VoiceCore

/// A smart home that can be talked to. Lights are switched at once; timers, the washing machine and the planning of an evening are jobs:
/// the agent goes on talking and speaks up when there is news.
@main
enum HomeAssistant {
    static func main() async {
        let settings = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("agent.yaml")
        await VoiceAgent.main(settings: settings.path) { agent, parts in
            let home = Home()
            let lights = try setLight(home)
            agent.tools += [lights]
            agent.backgroundTools += [
                try setTimer(parts.clock),
                try runWashingMachine(home, parts.clock),
                try SubAgent(
                    name: "plan_evening",
                    description: "Plans an evening at home, lights included. Takes a while.",
                    instructions:
                        "You are the part of a smart home that plans evenings. Set the lights, then answer in two sentences.",
                    model: parts.languageModel,
                    tools: [lights],
                    policy: BackgroundPolicy(),
                    clock: parts.clock
                ),
            ]
        }
    }

    private static func setLight(_ home: Home) throws -> some Tool {
        let declaration = try ToolDeclaration(
            name: "set_light",
            description: "Switches the light of a room.",
            parameters: [
                "type": "object",
                "properties": [
                    "room": ["type": "string", "enum": .array(Home.rooms.map { .string($0) })],
                    "on": ["type": "boolean"],
                ],
                "required": .array(["room", "on"]),
            ]
        )
        return ClosureTool(declaration) { arguments in
            guard let room = arguments["room"]?.text, let isOn = arguments["on"]?.flag else {
                return "Nothing was set."
            }
            return await home.setLight(room, isOn)
        }
    }

    /// A timer interrupts what the agent says: eggs do not wait.
    private static func setTimer(_ clock: any SessionClock) throws -> some BackgroundTool {
        let declaration = try ToolDeclaration(
            name: "set_timer",
            description: "Sets a timer.",
            parameters: [
                "type": "object",
                "properties": [
                    "name": ["type": "string", "description": "What it is for."],
                    "seconds": ["type": "integer", "minimum": 1, "maximum": 86_400],
                ],
                "required": .array(["name", "seconds"]),
            ]
        )
        let policy = BackgroundPolicy(hasEffects: true, timeout: .seconds(90_000), result: .interrupt)
        return BackgroundCall(declaration, policy: policy) { arguments, _ in
            let seconds = arguments["seconds"]?.whole ?? 60
            try await clock.sleep(until: clock.now + .seconds(seconds))
            return "The timer for \(arguments["name"]?.text ?? "something") is up."
        }
    }

    /// The machine tells how far it is; the agent knows it when it is asked, and speaks of the end in the next pause.
    private static func runWashingMachine(_ home: Home, _ clock: any SessionClock) throws -> some BackgroundTool {
        let declaration = try ToolDeclaration(
            name: "run_washing_machine",
            description: "Starts the washing machine.",
            parameters: [
                "type": "object",
                "properties": ["programme": ["type": "string", "enum": .array(["quick", "cotton", "wool"])]],
                "required": .array(["programme"]),
            ]
        )
        let policy = BackgroundPolicy(timeout: .seconds(4 * 3600), progress: .nextTurn, result: .whenIdle)
        return BackgroundCall(declaration, policy: policy) { arguments, progress in
            let minutes = arguments["programme"]?.text == "quick" ? 30 : 120
            try await home.startMachine()
            do {
                for minute in 0..<minutes {
                    progress.report("{\"minutes_left\":\(minutes - minute)}")
                    try await clock.sleep(until: clock.now + .seconds(60))
                }
            } catch {
                await home.stopMachine()
                throw error
            }
            await home.stopMachine()
            return "The washing is done."
        }
    }
}

/// The house. A real one would talk to its devices here.
private actor Home {
    static let rooms = ["kitchen", "hall", "living room", "bedroom"]

    private var lights: Set<String> = []
    private var machineRuns = false

    func setLight(_ room: String, _ isOn: Bool) -> String {
        if isOn { lights.insert(room) } else { lights.remove(room) }
        return "Lights are on in: \(lights.isEmpty ? "no room" : lights.sorted().joined(separator: ", "))."
    }

    func startMachine() throws {
        guard !machineRuns else { throw VoiceError(.usage, "the machine is running already") }
        machineRuns = true
    }

    func stopMachine() { machineRuns = false }
}
