/// What a visitor is told when the conversation begins.
package struct Welcome: Sendable, Equatable {
    /// The conversation's name.
    package var session: String
    /// What brings the visitor back into it after the connection was lost; nil if nothing does. Good for once.
    package var token: String?
    /// The models.
    package var models: ModelNames
    /// What people should know about the models; nil for nothing.
    package var advice: String?

    /// Makes a welcome.
    package init(session: String, token: String? = nil, models: ModelNames, advice: String? = nil) {
        self.session = session
        self.token = token
        self.models = models
        self.advice = advice
    }
}
