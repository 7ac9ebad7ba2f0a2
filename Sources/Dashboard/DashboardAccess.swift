import FathomCore

/// What opens the doors of a dashboard.
public struct DashboardToken: Sendable {
    public let text: String

    /// Draws 24 random bytes.
    public init() {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<24).map { _ in UInt8.random(in: 0...255, using: &random) }
        text = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    public init(text: String) { self.text = text }

    /// Compares in a time that does not depend on where the two differ.
    public func matches(_ candidate: String) -> Bool {
        // Digests have one length, and to be near one says nothing of the text.
        let pairs = zip(
            Digest(of: Array(text.utf8)).bytes, Digest(of: Array(candidate.utf8)).bytes)
        return pairs.reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// What a visitor asks, as far as it matters.
public struct DashboardRequest: Sendable {
    public var method: String
    public var path: String
    public var query: [String: String]
    public var host: String
    public var origin: String?
    public var authorization: String?
    public var cookie: String?
    public var contentType: String?
    public var body: [UInt8]

    public init(
        method: String = "GET", path: String, query: [String: String] = [:],
        host: String = "127.0.0.1:8080", origin: String? = nil, authorization: String? = nil,
        cookie: String? = nil, contentType: String? = nil, body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.host = host
        self.origin = origin
        self.authorization = authorization
        self.cookie = cookie
        self.contentType = contentType
        self.body = body
    }
}

/// Who may do what. On loopback everybody reads; elsewhere the token is asked for first. Whoever
/// changes something names the token in a header, which no foreign page can make a browser do.
public struct DashboardAccess: Sendable {
    public enum Verdict: Sendable, Hashable {
        case allowed
        /// The token is missing or wrong.
        case tokenMissing
        /// The request came under a name or from a page that is not ours.
        case foreign
    }

    static let cookieName = "fathom-dashboard"

    private let token: DashboardToken
    private let isRemote: Bool

    public init(token: DashboardToken, isRemote: Bool) {
        self.token = token
        self.isRemote = isRemote
    }

    /// Whether a request may see anything.
    public func mayRead(_ request: DashboardRequest) -> Verdict {
        guard isOurs(request) else { return .foreign }
        guard isRemote else { return .allowed }
        let isKnown = bearer(request).map(token.matches) ?? cookie(request).map(token.matches)
        return isKnown == true ? .allowed : .tokenMissing
    }

    /// Whether a request may change anything.
    public func maySteer(_ request: DashboardRequest) -> Verdict {
        guard isOurs(request) else { return .foreign }
        return bearer(request).map(token.matches) == true ? .allowed : .tokenMissing
    }

    /// Whether a token typed into the form is the right one.
    public func opens(_ candidate: String) -> Bool { token.matches(candidate) }

    /// On loopback only loopback's names are answered, so that no page of a stranger reaches us
    /// under a name that it has made point here. A page that asks must be our own.
    private func isOurs(_ request: DashboardRequest) -> Bool {
        let name = Self.name(ofHost: request.host)
        guard isRemote || DashboardSettings.loopback.contains(name) else { return false }
        guard let origin = request.origin else { return true }
        return origin == "http://" + request.host
    }

    /// `localhost` of `localhost:8080`, `::1` of `[::1]:8080`.
    private static func name(ofHost host: String) -> String {
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            return String(host[host.index(after: host.startIndex)..<end])
        }
        return String(host.prefix { $0 != ":" }).lowercased()
    }

    private func bearer(_ request: DashboardRequest) -> String? {
        guard let header = request.authorization, header.hasPrefix("Bearer ") else { return nil }
        return String(header.dropFirst("Bearer ".count))
    }

    private func cookie(_ request: DashboardRequest) -> String? {
        for part in (request.cookie ?? "").split(separator: ";") {
            let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            if pair.count == 2, pair[0] == Self.cookieName { return String(pair[1]) }
        }
        return nil
    }
}
