internal import VoiceCore

extension JobRunner {
    /// The tools by which a model starts jobs of these kinds, asks for them and cancels them; none if there are no kinds.
    func tools(starting kinds: [any BackgroundTool]) throws(VoiceError) -> [any Tool] {
        guard !kinds.isEmpty else { return [] }
        let starts: [any Tool] = kinds.map { StartJob(kind: $0, jobs: self) }
        return starts + [try JobStatusTool(self), try CancelJobTool(self)]
    }
}

/// A call that ended with an outcome which is no success.
private struct Refused: Error, CustomStringConvertible {
    let description: String
}

extension ToolOutcome {
    /// What the model is told; thrown if it was no success.
    fileprivate func get() throws -> String {
        guard succeeded else { throw Refused(description: text) }
        return text
    }
}

/// Starts a job.
private struct StartJob: Tool {
    let kind: any BackgroundTool
    let jobs: JobRunner

    var declaration: ToolDeclaration { kind.declaration }
    /// It returns at once, whatever the person does.
    var policy: ToolPolicy { ToolPolicy(hasEffects: kind.policy.hasEffects, interruption: .keep) }

    func call(_ arguments: JSONObject) async throws -> String { try jobs.start(kind, arguments).get() }
}

private struct JobStatusTool: Tool {
    let declaration: ToolDeclaration
    let policy = ToolPolicy(hasEffects: false)
    private let jobs: JobRunner

    init(_ jobs: JobRunner) throws(VoiceError) {
        self.jobs = jobs
        declaration = try ToolDeclaration(
            name: "job_status",
            description: "Tells how far a job in the background is; without 'job' it tells of all.",
            parameters: [
                "type": "object",
                "properties": ["job": ["type": "string", "description": "The job's id, such as job_1."]],
            ]
        )
    }

    func call(_ arguments: JSONObject) async throws -> String { try jobs.status(of: arguments["job"]?.text).get() }
}

private struct CancelJobTool: Tool {
    let declaration: ToolDeclaration
    let policy = ToolPolicy(interruption: .keep)
    private let jobs: JobRunner

    init(_ jobs: JobRunner) throws(VoiceError) {
        self.jobs = jobs
        declaration = try ToolDeclaration(
            name: "cancel_job",
            description: "Stops a job in the background.",
            parameters: [
                "type": "object",
                "properties": ["job": ["type": "string", "description": "The job's id, such as job_1."]],
                "required": .array(["job"]),
            ]
        )
    }

    func call(_ arguments: JSONObject) async throws -> String {
        try jobs.cancel(arguments["job"]?.text ?? "").get()
    }
}
