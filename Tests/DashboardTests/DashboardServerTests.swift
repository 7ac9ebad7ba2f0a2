import FathomCoordinator
import FathomCore
import FathomDashboard
import FathomProtocol
import Foundation
import Glibc
import Logging
import TestSupport
import Testing

@Suite("A dashboard at work")
struct DashboardServerTests {
    private let folder: String
    private let store: String
    private static let token = DashboardToken(text: "secret")

    init() throws {
        folder = NSTemporaryDirectory() + "fathom-dashboard-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = folder + "/a.sqlite"
    }

    /// A store of probes, of which `done` are finished and one is given up.
    private func makeStore(probes: Int = 30, done: Int = 10) throws -> [PlannedJob] {
        let plan = ProbePlan.plan([(.succeed, probes)])
        let writer = try Store(path: store)
        _ = try writer.register(plan)
        let worker = WorkerID("worker")
        var changes: [StoreChange] = plan.jobs.prefix(done).flatMap { job -> [StoreChange] in
            let lease = Lease(job: job.key, attempt: 1, term: 1, entries: 0..<1)
            return [
                .accepted(lease, worker: worker, outcome: JobOutcome(seconds: 0.5)),
                .jobFinished(job.key),
            ]
        }
        changes.append(
            .jobQuarantined(plan.jobs[done].key, reason: "<script>alert(1)</script>"))
        try writer.apply(changes)
        try writer.checkpointAndClose()
        return plan.jobs
    }

    private func serving(
        isRemote: Bool = false, _ body: (LoopbackClient) throws -> Void
    ) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let dashboard = try Dashboard(
            DashboardSettings(store: store, port: 0, isRemote: isRemote), token: Self.token,
            logger: logger)
        defer { dashboard.close() }
        try body(LoopbackClient(port: dashboard.port))
    }

    /// Asks until the store was read.
    private func latest(_ client: LoopbackClient) throws -> [String: Any] {
        let end = Date(timeIntervalSinceNow: 20)
        while Date() < end {
            if let answer = client.get("/api/latest"), answer.status == 200 {
                let value = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
                return try #require(value as? [String: Any])
            }
            usleep(20_000)
        }
        Issue.record("nothing came for 20 seconds")
        return [:]
    }

    @Test("shows what the store holds, and text of the store as text")
    func numbers() throws {
        let jobs = try makeStore()
        try serving { client in
            let figures = try #require(try latest(client)["figures"] as? [String: Any])
            let kinds = try #require(figures["kinds"] as? [[String: Any]])
            #expect(kinds.count == 1 && kinds[0]["kind"] as? String == "probe")
            let counts = try #require(kinds[0]["jobs"] as? [String: Int])
            #expect(
                counts == [
                    "done": 10, "total": 30, "open": 19, "paused": 0, "failed": 1, "blocked": 0,
                ])
            #expect(kinds[0]["seconds"] as? Double == 0.5)
            #expect(figures["isRunning"] as? Bool == false)
            #expect(figures["sweep"] as? String == "probes")
            let problems = try #require(figures["problems"] as? [String: Any])
            let rows = try #require(problems["rows"] as? [[String: Any]])
            #expect(rows.map { $0["job"] as? String } == [jobs[10].key.description])
            #expect(rows[0]["reason"] as? String == "<script>alert(1)</script>")
            let told = try #require(client.get("/api/explain?job=\(jobs[10].key)"))
            #expect(told.status == 200 && told.body.contains(/state +quarantined\n/))
            #expect(told["content-type"] == "text/plain; charset=utf-8")
            #expect(client.get("/api/explain?job=000000000000")?.status == 404)
        }
    }

    /// A store of three methods under four settings of training, of which nothing has run.
    private func makeCells() throws {
        let text = """
            version: 1
            name: cells
            data: mnist
            methods: [clean, rand-s, lsp]
            models: [lenet5]
            seeds: 2
            training: { learningRate: [0.1, 0.2], momentum: [0, 0.9] }
            """
        let facts = DataFacts(
            digest: Digest(of: Array("mnist".utf8)), channels: 1, height: 28, width: 28,
            classCount: 10, trainCount: 60_000, testCount: 10_000)
        let manifest = try Manifest.parse(text, file: "cells.yaml", capabilities: .forTests)
        let plan = try SweepPlanner.plan(
            manifest, facts: ["mnist": facts], measuredLayers: { _, _, _ in [6, 16] },
            revisions: Revisions())
        let writer = try Store(path: store)
        _ = try writer.register(plan)
        try writer.checkpointAndClose()
    }

    @Test("finds what is asked for, a page at a time, whatever the case")
    func lists() throws {
        try makeCells()
        try serving { client in
            _ = try latest(client)
            func asked(_ query: String) throws -> [String: Any] {
                let body = try #require(client.get("/api/cells?\(query)")).body
                let value = try JSONSerialization.jsonObject(with: Data(body.utf8))
                return try #require(value as? [String: Any])
            }
            let all = try asked("")
            #expect(all["total"] as? Int == 12 && all["found"] as? Int == 12)
            for search in ["LSP", "sp%20momentum=0.9", "0.9%20Lsp"] {
                let found = try asked("search=\(search)&order=problems&offset=99")
                let wanted = search == "LSP" ? 4 : 2
                #expect(found["found"] as? Int == wanted && found["total"] as? Int == 12)
                #expect(found["offset"] as? Int == wanted - 1, "the last page is not passed")
                let rows = try #require(found["rows"] as? [[String: Any]])
                #expect((rows[0]["method"] as? String)?.hasPrefix("lsp (") == true)
            }
            #expect(try asked("search=lsp%20zzzz")["found"] as? Int == 0)
            let board = try #require(client.get("/api/board?search=zzzz"))
            #expect(board.status == 200 && board.body.contains("\"found\":0"))
        }
    }

    @Test("is one page that asks nobody else, under a strict policy")
    func page() throws {
        _ = try makeStore()
        try serving { client in
            let page = try #require(client.get("/"))
            #expect(page.status == 200)
            #expect(!page.body.contains("http://") && !page.body.contains("https://"))
            #expect(!page.body.contains(" style=") && !page.body.contains(" onclick="))
            let policy = try #require(page["content-security-policy"])
            #expect(policy.hasPrefix("default-src 'none'"))
            #expect(policy.contains("connect-src 'self'") && !policy.contains("unsafe"))
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(page["x-content-type-options"] == "nosniff")
            #expect(page["cache-control"] == "no-store")
        }
    }

    @Test("sends what is new as events, and goes on when the store appears late")
    func events() throws {
        try serving { client in
            let descriptor = client.connected()
            defer { close(descriptor) }
            client.send(
                "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:\(client.port)\r\n\r\n", on: descriptor
            )
            let first = client.read(descriptor) { $0.contains("event: trouble") }
            #expect(first.contains("text/event-stream") && first.contains("retry: 2000"))
            let jobs = try makeStore()
            let next = client.read(descriptor) { $0.contains("event: board\ndata: {") }
            #expect(next.contains("\"sweep\":\"probes\""))
            #expect(next.contains("event: figures\ndata: {") && next.contains("event: cells\n"))
            // Nothing changes any more, and that is told without sending it all again.
            let quiet = client.read(descriptor) { $0.contains("event: same\ndata: ") }
            #expect(quiet.contains("event: same") && !quiet.contains("data: {"))
            // Of what changes only that is sent.
            let writer = try Store(path: store)
            try writer.apply([.jobQuarantined(jobs[11].key, reason: "no")])
            try writer.checkpointAndClose()
            let change = client.read(descriptor) { $0.contains("event: same\ndata: ") }
            #expect(change.contains("\"failed\":2") && !change.contains("event: board"))
        }
    }

    @Test("changes nothing without the token, and says where nobody listens")
    func steering() throws {
        let jobs = try makeStore()
        try serving { client in
            _ = try latest(client)
            let body = #"{"action":"retry","target":"\#(jobs[10].key)"}"#
            let plain = ["Content-Type": "application/json"]
            #expect(client.ask("POST", "/api/steer", headers: plain, body: body)?.status == 401)
            let known = plain.merging(["Authorization": "Bearer secret"]) { first, _ in first }
            let answer = try #require(
                client.ask("POST", "/api/steer", headers: known, body: body))
            #expect(answer.status == 409 && answer.body.contains("no coordinator runs"))
            let other = #"{"action":"retry","target":"nobody"}"#
            #expect(
                client.ask("POST", "/api/steer", headers: known, body: other)?.body
                    .contains("no job, cell or sweep of that name") == true)
        }
    }

    @Test("answers nobody who comes under another name or from another page")
    func strangers() throws {
        _ = try makeStore()
        try serving { client in
            let own = "127.0.0.1:\(client.port)"
            let strange = [
                ["Host": "rebound.example:\(client.port)"], ["Host": ""],
                ["Host": own, "Origin": "http://example.org"], ["Origin": "null"],
            ]
            for headers in strange {
                for path in ["/", "/api/latest", "/api/events", "/api/cells", "/api/explain"] {
                    let answer = client.ask("GET", path, headers: headers)
                    #expect(answer?.status == 403, "\(path) \(headers)")
                }
                let wish = headers.merging(["Authorization": "Bearer secret"]) { first, _ in first }
                let body = #"{"action":"cancel","target":"probes"}"#
                #expect(client.ask("POST", "/api/steer", headers: wish, body: body)?.status == 403)
            }
            #expect(client.ask("OPTIONS", "/api/steer")?.status == 405)
            #expect(client.get("/")?.status == 200)
        }
    }

    @Test("ends while it is asked from all sides, and lets its pages go")
    func ending() throws {
        _ = try makeStore()
        var page: Int32 = -1
        defer { close(page) }
        try serving { client in
            page = client.connected()
            client.send(
                "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:\(client.port)\r\n\r\n", on: page)
            let text = client.read(page) { $0.contains("retry: 2000") }
            #expect(text.contains("retry: 2000"))
            // Some of these are accepted, and not looked at yet, when it ends.
            let others = (0..<20).map { _ in client.connected() }
            for other in others { close(other) }
        }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var count = 1
        while count > 0 { count = recv(page, &bytes, bytes.count, 0) }
        #expect(count == 0)
    }

    @Test("has places for so many live pages, and says so when they are taken")
    func places() throws {
        _ = try makeStore()
        try serving { client in
            var open: [Int32] = []
            defer { for descriptor in open { close(descriptor) } }
            for number in 1...33 {
                let descriptor = client.connected()
                open.append(descriptor)
                client.send(
                    "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:\(client.port)\r\n\r\n",
                    on: descriptor)
                let text = client.read(descriptor) { $0.contains("\nretry: ") }
                #expect(text.contains("retry: \(number <= 32 ? 2000 : 30000)"), "\(number)")
            }
            #expect(client.get("/")?.status == 200)
        }
    }

    @Test("served to others, it asks for the token first")
    func door() throws {
        _ = try makeStore()
        try serving(isRemote: true) { client in
            #expect(client.get("/api/latest")?.status == 401)
            let door = try #require(client.get("/"))
            #expect(door.body.contains("Token") && !door.body.contains("leaderboard"))
            #expect(client.ask("POST", "/login", body: "token=wrong")?.status == 403)
            let welcome = try #require(client.ask("POST", "/login", body: "token=secret"))
            #expect(welcome.status == 303 && welcome["location"] == "/")
            let cookie = try #require(welcome["set-cookie"])
            #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
            let pair = String(cookie.prefix { $0 != ";" })
            let page = try #require(client.ask("GET", "/", headers: ["Cookie": pair]))
            #expect(page.status == 200 && page.body.contains("leaderboard"))
        }
    }

    @Test("takes no long bodies or headers, and half requests keep nobody out")
    func limits() throws {
        _ = try makeStore()
        try serving { client in
            let long = String(repeating: "a", count: 5_000)
            #expect(client.ask("POST", "/login", body: long)?.status == 413)
            let header = ["X-Long": String(repeating: "a", count: 40_000)]
            let refused = client.ask("GET", "/", headers: header)
            #expect(refused == nil || refused?.status == 431 || refused?.status == 400)
            for query in ["&", "=%zz&offset", "search=%ff%fe%00", "offset=&&=", "offset=%2B1%"] {
                let status = client.get("/api/cells?\(query)")?.status
                #expect(status == 200 || status == 400, "\(query)")
            }
            let slow = (0..<40).map { _ in client.connected() }
            defer { for descriptor in slow { close(descriptor) } }
            for descriptor in slow { client.send("GET / HTTP/1.1\r\nHost:", on: descriptor) }
            #expect(client.get("/")?.status == 200)
        }
    }

    @Test(
        "closes connections whose requests never end",
        .enabled(if: ProcessInfo.processInfo.environment["FATHOM_SLOW"] == "1"))
    func slowLoris() throws {
        _ = try makeStore()
        try serving { client in
            let head = client.connected()
            let body = client.connected()
            defer {
                close(head)
                close(body)
            }
            client.send("GET / HTTP/1.1\r\n", on: head)
            client.send(
                "GET / HTTP/1.1\r\nHost: 127.0.0.1:\(client.port)\r\nContent-Length: 4000\r\n\r\n",
                on: body)
            for _ in 0..<30 {
                client.send("X: y\r\n", on: head)
                client.send("a", on: body)
                usleep(500_000)
            }
            // Both were closed: there is an end to read.
            for descriptor in [head, body] {
                var byte: UInt8 = 0
                var count = 1
                while count > 0 { count = recv(descriptor, &byte, 1, 0) }
                let reset = count < 0 && (errno == ECONNRESET || errno == EPIPE)
                #expect(count == 0 || reset, "errno \(errno)")
            }
            #expect(client.get("/")?.status == 200)
        }
    }
}
