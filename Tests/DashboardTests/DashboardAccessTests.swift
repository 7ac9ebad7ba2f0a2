import FathomDashboard
import Testing

@Suite("Access to a dashboard")
struct DashboardAccessTests {
    private static let token = DashboardToken(text: "secret")

    private func routing(isRemote: Bool = false) -> DashboardRouting {
        DashboardRouting(access: DashboardAccess(token: Self.token, isRemote: isRemote))
    }

    private func status(_ decision: DashboardDecision) -> Int {
        if case .refuse(let status, _) = decision { return status }
        return 200
    }

    @Test("a token is long, drawn anew each time, and only itself")
    func tokens() {
        let (one, other) = (DashboardToken(), DashboardToken())
        #expect(one.text.count == 48 && one.text != other.text)
        #expect(one.matches(one.text))
        for wrong in ["", String(one.text.dropLast()), one.text + "0", other.text] {
            #expect(!one.matches(wrong))
        }
    }

    @Test(
        "addresses are loopback unless others are asked for",
        arguments: [
            ("8080", "127.0.0.1", 8080), (":8080", "127.0.0.1", 8080),
            ("127.0.0.1:0", "127.0.0.1", 0), ("localhost:80", "localhost", 80),
            ("[::1]:8080", "::1", 8080),
        ])
    func addresses(text: String, host: String, port: Int) throws {
        #expect(try DashboardSettings.address(text, isRemote: false) == (host, port))
    }

    @Test(
        "addresses that cannot be, or that strangers reach, are refused with what would be right",
        arguments: [
            ("", "HOST:PORT"), ("host", "HOST:PORT"), ("127.0.0.1:65536", "65535"),
            ("127.0.0.1:-1", "HOST:PORT"), ("a b:80", "HOST:PORT"),
            ("0.0.0.0:8080", "--dashboard-remote"), ("example.org:80", "SSH tunnel"),
        ])
    func wrongAddresses(text: String, told: String) {
        let error = #expect(throws: DashboardError.self) {
            try DashboardSettings.address(text, isRemote: false)
        }
        #expect(error?.description.contains(told) == true, "\(String(describing: error))")
    }

    @Test("another machine's address is taken when that is asked for")
    func remoteAddress() throws {
        #expect(try DashboardSettings.address("0.0.0.0:80", isRemote: true) == ("0.0.0.0", 80))
    }

    @Test("on loopback everybody reads, under loopback's names and from our own page only")
    func loopback() {
        let routing = routing()
        #expect(routing.decide(DashboardRequest(path: "/")) == .page)
        #expect(routing.decide(DashboardRequest(path: "/", host: "localhost:1")) == .page)
        #expect(routing.decide(DashboardRequest(path: "/", host: "[::1]:1")) == .page)
        for host in ["", "example.org", "127.0.0.1.example.org", "localhost.example.org:8080"] {
            #expect(
                status(routing.decide(DashboardRequest(path: "/", host: host))) == 403, "\(host)")
        }
        let origins = [("http://127.0.0.1:8080", 200), ("http://example.org", 403), ("null", 403)]
        for (origin, expected) in origins {
            let request = DashboardRequest(path: "/api/latest", origin: origin)
            #expect(status(routing.decide(request)) == expected, "\(origin)")
        }
    }

    @Test("elsewhere nobody reads without the token")
    func remote() {
        let routing = routing(isRemote: true)
        let host = "node7:8080"
        #expect(routing.decide(DashboardRequest(path: "/", host: host)) == .door)
        for path in ["/api/latest", "/api/events", "/api/cells", "/api/board", "/api/explain"] {
            #expect(status(routing.decide(DashboardRequest(path: path, host: host))) == 401)
        }
        let known = DashboardRequest(
            path: "/api/latest", host: host, cookie: "a=b; fathom-dashboard=secret")
        #expect(routing.decide(known) == .latest)
        let wrong = DashboardRequest(
            path: "/api/latest", host: host, cookie: "fathom-dashboard=secretary")
        #expect(status(routing.decide(wrong)) == 401)
        func login(_ body: String) -> DashboardDecision {
            routing.decide(
                DashboardRequest(
                    method: "POST", path: "/login", host: host, body: Array(body.utf8)))
        }
        #expect(login("token=secret") == .welcome)
        #expect(login("token=secre") == .door && login("") == .door)
    }

    @Test("only the token in a header lets anybody change something")
    func steering() {
        func decide(
            _ authorization: String?, cookie: String? = nil, origin: String? = nil,
            type: String? = "application/json",
            body: String = #"{"action":"retry","target":"abcdef"}"#
        ) -> DashboardDecision {
            routing(isRemote: true).decide(
                DashboardRequest(
                    method: "POST", path: "/api/steer", origin: origin,
                    authorization: authorization, cookie: cookie, contentType: type,
                    body: Array(body.utf8)))
        }
        #expect(decide("Bearer secret") == .steer(.retry, target: "abcdef"))
        #expect(status(decide(nil)) == 401)
        #expect(status(decide("Bearer wrong")) == 401)
        #expect(status(decide("secret")) == 401)
        #expect(status(decide(nil, cookie: "fathom-dashboard=secret")) == 401)
        #expect(status(decide("Bearer secret", origin: "http://example.org")) == 403)
        #expect(status(decide("Bearer secret", type: "text/plain")) == 400)
        #expect(status(decide("Bearer secret", body: #"{"action":"forget","target":"a"}"#)) == 400)
        #expect(status(decide("Bearer secret", body: "{")) == 400)
    }

    @Test("questions are checked before they reach the store")
    func questions() {
        func asked(_ path: String, _ query: [String: String]) -> DashboardDecision {
            routing().decide(DashboardRequest(path: path, query: query))
        }
        #expect(asked("/api/explain", ["job": "ABCDEF12"]) == .explain(digits: "abcdef12"))
        for job in ["", "abc", "abcdefg", "abcdef' OR 1", String(repeating: "a", count: 65)] {
            #expect(status(asked("/api/explain", ["job": job])) == 400, "\(job)")
        }
        #expect(
            asked("/api/cells", ["search": "lsp", "order": "done", "offset": "200"])
                == .cells(search: "lsp", order: "done", offset: 200))
        #expect(asked("/api/cells", [:]) == .cells(search: "", order: "plan", offset: 0))
        #expect(
            asked("/api/board", ["search": "0.1", "offset": "12"])
                == .board(search: "0.1", offset: 12))
        for path in ["/api/cells", "/api/board"] {
            for query in [
                ["offset": "-1"], ["offset": "x"], ["order": "random"],
                ["search": String(repeating: "a", count: 101)],
            ] {
                #expect(status(asked(path, query)) == 400, "\(path) \(query)")
            }
        }
        #expect(status(asked("/etc/passwd", [:])) == 404)
        let put = DashboardRequest(method: "PUT", path: "/")
        #expect(status(routing().decide(put)) == 405)
    }
}
