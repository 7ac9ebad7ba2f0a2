import FathomCoordinator
import FathomCore
import Foundation

/// What is done about a request.
public enum DashboardDecision: Sendable, Hashable {
    public enum Action: String, Sendable, Hashable, CaseIterable, Decodable {
        case retry, cancel, pause, resume
    }

    /// The page itself.
    case page
    /// The page that asks for the token.
    case door
    /// The token was right: remember it, and show the page.
    case welcome
    case latest
    case stream
    case cells(search: String, order: String, offset: Int)
    case board(search: String, offset: Int)
    case explain(digits: String)
    case steer(Action, target: String)
    case refuse(status: Int, reason: String)
}

/// Decides what is done about a request, from the request alone.
public struct DashboardRouting: Sendable {
    private let access: DashboardAccess

    public init(access: DashboardAccess) { self.access = access }

    /// Whether a request's body has to be read before it is decided on.
    static func wantsBody(method: String, path: String) -> Bool {
        method == "POST" && (path == "/api/steer" || path == "/login")
    }

    public func decide(_ request: DashboardRequest) -> DashboardDecision {
        switch (request.method, request.path) {
        case ("POST", "/login"): return login(request)
        case ("POST", "/api/steer"): return steer(request)
        case ("GET", "/"), ("GET", "/api/latest"), ("GET", "/api/events"), ("GET", "/api/cells"),
            ("GET", "/api/board"), ("GET", "/api/explain"):
            return read(request)
        case ("GET", _), ("HEAD", _): return .refuse(status: 404, reason: "there is no such page")
        default: return .refuse(status: 405, reason: "only GET, and POST where something is done")
        }
    }

    private func read(_ request: DashboardRequest) -> DashboardDecision {
        switch access.mayRead(request) {
        case .foreign: return Self.foreign
        case .tokenMissing:
            return request.path == "/"
                ? .door : .refuse(status: 401, reason: "the token is missing")
        case .allowed: break
        }
        switch request.path {
        case "/": return .page
        case "/api/latest": return .latest
        case "/api/events": return .stream
        case "/api/cells", "/api/board": return list(request)
        default: return explain(request)
        }
    }

    private func list(_ request: DashboardRequest) -> DashboardDecision {
        let search = request.query["search"] ?? ""
        let order = request.query["order"] ?? CellRow.Order.plan.rawValue
        guard let offset = Int(request.query["offset"] ?? "0"), offset >= 0,
            search.count <= DashboardLimits.searchCharacters, CellRow.Order(rawValue: order) != nil
        else {
            let orders = CellRow.Order.allCases.map(\.rawValue).joined(separator: ", ")
            return .refuse(
                status: 400,
                reason: "offset is a whole number, order one of \(orders), search at most "
                    + "\(DashboardLimits.searchCharacters) characters")
        }
        return request.path == "/api/board"
            ? .board(search: search, offset: offset)
            : .cells(search: search, order: order, offset: offset)
    }

    private func explain(_ request: DashboardRequest) -> DashboardDecision {
        let digits = request.query["job"] ?? ""
        guard (6...64).contains(digits.count), digits.allSatisfy(\.isHexDigit) else {
            return .refuse(status: 400, reason: "job is a key of 6 to 64 hexadecimal digits")
        }
        return .explain(digits: digits.lowercased())
    }

    private func login(_ request: DashboardRequest) -> DashboardDecision {
        if access.mayRead(request) == .foreign { return Self.foreign }
        let body = String(decoding: request.body, as: UTF8.self)
        let field = body.split(separator: "&").first { $0.hasPrefix("token=") }
        let token = field.map { String($0.dropFirst("token=".count)) } ?? ""
        return access.opens(token) ? .welcome : .door
    }

    private struct Steering: Decodable {
        var action: DashboardDecision.Action
        var target: String
    }

    private func steer(_ request: DashboardRequest) -> DashboardDecision {
        switch access.maySteer(request) {
        case .foreign: return Self.foreign
        case .tokenMissing:
            return .refuse(
                status: 401, reason: "this needs the token that the command printed at its start")
        case .allowed: break
        }
        guard request.contentType?.hasPrefix("application/json") == true,
            let asked = try? JSONDecoder().decode(Steering.self, from: Data(request.body)),
            (1...200).contains(asked.target.count)
        else {
            let actions = DashboardDecision.Action.allCases.map(\.rawValue)
            return .refuse(
                status: 400,
                reason: "JSON is wanted, with action one of \(actions.joined(separator: ", ")) and "
                    + "target a job, a cell or the sweep")
        }
        return .steer(asked.action, target: asked.target)
    }

    private static let foreign = DashboardDecision.refuse(
        status: 403, reason: "the request comes from elsewhere, or under a name that is not ours")
}
