import FathomCoordinator
import FathomCore
import FathomPage
import FathomProtocol
import Foundation
import HTTPTypes
import HummingbirdCore
import NIOCore
import Synchronization

/// Carries out what `DashboardRouting` decides.
struct DashboardResponder: Sendable {
    private let settings: DashboardSettings
    private let token: DashboardToken
    private let routing: DashboardRouting
    private let reader: DashboardReader
    private let streams = DashboardStreams()
    private let page = DashboardPage.document
    private let door = DashboardPage.door

    init(settings: DashboardSettings, token: DashboardToken, reader: DashboardReader) {
        self.settings = settings
        self.token = token
        self.reader = reader
        routing = DashboardRouting(
            access: DashboardAccess(token: token, isRemote: settings.isRemote))
    }

    /// Answers one request.
    @Sendable
    func respond(
        to request: Request, writer: consuming ResponseWriter, channel: any Channel
    ) async throws {
        var asked = Self.asked(request)
        let isForBody = DashboardRouting.wantsBody(method: asked.method, path: asked.path)
        if isForBody, let body = await Self.body(of: request) { asked.body = body }
        let response =
            isForBody && asked.body.isEmpty
            ? text(413, "a request has 1 to \(DashboardLimits.bodyBytes) bytes, whole")
            : await reply(to: asked, channel)
        try await writer.write(response: response.head, body: response.body)
    }

    private func reply(to asked: DashboardRequest, _ channel: any Channel) async -> Response {
        switch routing.decide(asked) {
        case .page: html(page, status: .ok)
        case .door: html(door, status: asked.method == "GET" ? .ok : .forbidden)
        case .welcome: welcome()
        case .latest: latest()
        case .stream: stream(channel)
        case .cells(let search, let order, let offset):
            json(
                reader.cells(
                    search: search, order: CellRow.Order(rawValue: order) ?? .plan, offset: offset)
            )
        case .board(let search, let offset): json(reader.board(search: search, offset: offset))
        case .explain(let digits): await explain(digits)
        case .steer(let action, let target): await steer(action, target)
        case .refuse(let status, let reason): text(status, reason)
        }
    }

    private static func asked(_ request: Request) -> DashboardRequest {
        var query: [String: String] = [:]
        for (key, value) in request.uri.queryParameters { query[String(key)] = String(value) }
        return DashboardRequest(
            method: request.method.rawValue, path: request.uri.path, query: query,
            host: request.head.authority ?? "", origin: request.headers[.origin],
            authorization: request.headers[.authorization], cookie: request.headers[.cookie],
            contentType: request.headers[.contentType])
    }

    /// `nil` when it is too long or does not come whole; `RequestDeadline` ends those that dawdle.
    private static func body(of request: Request) async -> [UInt8]? {
        let buffer = try? await request.body.collect(upTo: DashboardLimits.bodyBytes)
        let length = request.headers[.contentLength].flatMap { Int($0) }
        guard let buffer, length == nil || length == buffer.readableBytes else { return nil }
        return Array(buffer.readableBytesView)
    }

    // MARK: Answers

    private func answer(
        _ status: HTTPResponse.Status, _ type: String, _ body: ResponseBody,
        policy: String = "default-src 'none'"
    ) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: type, .cacheControl: "no-store", .contentSecurityPolicy: policy,
                .xContentTypeOptions: "nosniff", .xFrameOptions: "DENY",
                .referrerPolicy: "no-referrer", .crossOriginResourcePolicy: "same-origin",
            ], body: body)
    }

    private func html(_ page: PageDocument, status: HTTPResponse.Status) -> Response {
        answer(
            status, "text/html; charset=utf-8",
            ResponseBody(byteBuffer: ByteBuffer(string: page.html)),
            policy: page.policy + "; frame-ancestors 'none'")
    }

    private func text(_ status: Int, _ reason: String) -> Response {
        answer(
            HTTPResponse.Status(code: status), "text/plain; charset=utf-8",
            ResponseBody(byteBuffer: ByteBuffer(string: reason + "\n")))
    }

    private func json(_ value: some Encodable) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(value) else {
            return text(500, "there is a number that JSON cannot hold")
        }
        return json(bytes: Array(bytes))
    }

    private func json(bytes: [UInt8]) -> Response {
        answer(.ok, "application/json", ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private func welcome() -> Response {
        var response = answer(.seeOther, "text/plain", ResponseBody())
        response.headers[.location] = "/"
        response.headers[.setCookie] =
            "\(DashboardAccess.cookieName)=\(token.text); Path=/; HttpOnly; SameSite=Strict"
        return response
    }

    private func latest() -> Response {
        let latest = reader.latest
        guard latest.problem == nil, !latest.parts.isEmpty else {
            return text(503, latest.problem ?? "the store has not been read yet")
        }
        return json(bytes: latest.json)
    }

    // MARK: Live

    private func stream(_ channel: any Channel) -> Response {
        let (reader, streams) = (reader, streams)
        let body = ResponseBody { writer in
            guard streams.enter() else {
                try await writer.write(
                    ByteBuffer(string: "retry: 30000\nevent: full\ndata: {}\n\n"))
                try await writer.finish(nil)
                return
            }
            defer { streams.leave() }
            var news = DashboardNews()
            try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
            while !Task.isCancelled, !reader.isEnded {
                if let bytes = news.next(reader.latest) {
                    // A visitor who takes nothing holds a place that others may want.
                    let limit = channel.eventLoop.scheduleTask(
                        in: .seconds(DashboardLimits.writeSeconds)
                    ) { channel.close(promise: nil) }
                    defer { limit.cancel() }
                    try await writer.write(ByteBuffer(bytes: bytes))
                }
                try await Task.sleep(for: .milliseconds(500))
            }
            try await writer.finish(nil)
        }
        return answer(.ok, "text/event-stream", body)
    }

    // MARK: Questions

    /// Waits for what the reader's thread makes of it; `nil` when too many wait already.
    private func asking<Result: Sendable>(
        _ body: @escaping @Sendable (StoreReader?) -> Result
    ) async -> Result? {
        await withCheckedContinuation { continuation in
            let isTaken = reader.ask { continuation.resume(returning: body($0)) }
            if !isTaken { continuation.resume(returning: nil) }
        }
    }

    private static let busy = "too many ask at the same time; try again"

    private func explain(_ digits: String) async -> Response {
        let told: (Int, String)? = await asking { reader in
            guard let reader else { return (503, "the store cannot be read now") }
            do {
                let found = try JobExplanation(
                    digits: digits, reader: reader, seconds: DashboardLimits.questionSeconds)
                return (
                    200, found.advice + "\n\n" + found.text(.plain, isFolded: false, rowsMax: 20)
                )
            } catch {
                return (404, "\(error)")
            }
        }
        return text(told?.0 ?? 503, told?.1 ?? Self.busy)
    }

    private func steer(_ action: DashboardDecision.Action, _ target: String) async -> Response {
        let settings = settings
        let told: (Int, String)? = await asking { reader in
            guard let reader else { return (503, "the store cannot be read now") }
            do {
                return try DashboardSteering.carryOut(
                    action, target: target, sweep: settings.sweep, store: settings.store, reader)
            } catch {
                return (409, "\(error)")
            }
        }
        return text(told?.0 ?? 503, told?.1 ?? Self.busy)
    }
}

/// What of the latest a page has not been told yet, as server-sent events.
struct DashboardNews: Sendable {
    private var shown = 0
    private var seenAt = 0.0
    private var quiet = 0

    /// What to send now; `nil`: nothing. Called twice a second.
    mutating func next(_ latest: DashboardReader.Latest) -> [UInt8]? {
        quiet += 1
        if latest.number != shown {
            defer { (shown, seenAt, quiet) = (latest.number, latest.at, 0) }
            guard let problem = latest.problem else {
                return latest.parts.filter { $0.number > shown }
                    .flatMap { Self.event($0.name, $0.json) }
            }
            return Self.event(
                "trouble", (try? JSONEncoder().encode(problem)) ?? Data("\"\"".utf8))
        }
        // Nothing new is news too: that it is so by now. Silence would look like a dead line.
        guard quiet >= 10 else { return nil }
        quiet = 0
        guard latest.at > seenAt else { return Array(":\n\n".utf8) }
        seenAt = latest.at
        return Self.event("same", "\(latest.at)".utf8)
    }

    private static func event(_ name: String, _ data: some Sequence<UInt8>) -> [UInt8] {
        Array("event: \(name)\ndata: ".utf8) + Array(data) + Array("\n\n".utf8)
    }
}

/// Counts the live pages.
final class DashboardStreams: Sendable {
    private let count = Atomic(0)

    func enter() -> Bool {
        let before = count.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        guard before < DashboardLimits.streams else {
            leave()
            return false
        }
        return true
    }

    func leave() { count.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
}

extension HTTPField.Name {
    fileprivate static func of(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else {
            preconditionFailure("\(name) is no name of a header")
        }
        return field
    }

    fileprivate static let xFrameOptions = of("X-Frame-Options")
    fileprivate static let referrerPolicy = of("Referrer-Policy")
}
