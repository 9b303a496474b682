internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Transports

/// The end of a call through its provider's REST interface.
///
/// Sources: Twilio, "Update a Call resource"; Telnyx, "Hangup call"; Plivo, "Hang up a specific call". A call that is over
/// already counts as hung up.
struct HangUp: Sendable, Equatable {
    /// The request's method.
    var method: HTTPMethod
    /// Its address.
    var url: String
    /// Its headers.
    var headers: HTTPHeaders
    /// Its content.
    var body: String

    /// How long a provider may take.
    private static let timeout = TimeAmount.seconds(5)

    /// Makes the request for a call; nil without the credentials for it.
    init?(_ call: TelephonyCall, _ accounts: TelephonyAccounts) {
        switch call.provider {
        case .twilio:
            guard let account = accounts.twilio.account ?? call.account, let token = accounts.twilio.token else {
                return nil
            }
            self.init(
                .POST,
                "\(accounts.twilio.api)/2010-04-01/Accounts/\(account)/Calls/\(call.call).json",
                Self.basic(account, token),
                "application/x-www-form-urlencoded",
                "Status=completed"
            )
        case .telnyx:
            guard let key = accounts.telnyx.key else { return nil }
            let url = "\(accounts.telnyx.api)/v2/calls/\(call.call)/actions/hangup"
            self.init(.POST, url, "Bearer \(key)", "application/json", "{}")
        case .plivo:
            guard let account = accounts.plivo.account ?? call.account, let token = accounts.plivo.token else {
                return nil
            }
            let url = "\(accounts.plivo.api)/v1/Account/\(account)/Call/\(call.call)/"
            self.init(.DELETE, url, Self.basic(account, token), nil, "")
        }
    }

    private init(_ method: HTTPMethod, _ url: String, _ authorization: String, _ type: String?, _ body: String) {
        self.method = method
        self.url = url
        self.body = body
        headers = ["Authorization": authorization]
        if let type { headers.add(name: "Content-Type", value: type) }
    }

    /// Sends the request. Cancellation does not stop it: a server that stops still hangs up.
    ///
    /// - Returns: nil, or what went wrong.
    func run() async -> String? {
        do {
            let request = try HTTPClient.Request(
                url: url,
                method: method,
                headers: headers,
                body: body.isEmpty ? nil : .string(body)
            )
            let response = try await HTTPClient.shared.execute(request: request, deadline: .now() + Self.timeout).get()
            // 404 and, at Telnyx, 422: there is no such call any more.
            return [200, 201, 202, 204, 404, 422].contains(response.status.code)
                ? nil : "status \(response.status.code)"
        } catch {
            return "\(error)"
        }
    }

    private static func basic(_ name: String, _ secret: String) -> String {
        "Basic " + Data("\(name):\(secret)".utf8).base64EncodedString()
    }
}
