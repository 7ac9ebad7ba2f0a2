import ArgumentParser
import FathomCoordinator
import FathomDashboard
import FathomProtocol
import Foundation

/// Where a dashboard listens, beside a sweep that runs.
struct DashboardOptions: ParsableArguments {
    @Option(
        name: .customLong("dashboard"),
        help: "Show the sweep live to browsers, such as at 127.0.0.1:8080.")
    var address: String?

    @Flag(
        name: .customLong("dashboard-remote"),
        help: "Let the dashboard listen where other machines reach it; everybody needs the token.")
    var isRemote = false

    func validate() throws {
        if address == nil, isRemote {
            throw ValidationError("--dashboard-remote goes with --dashboard HOST:PORT")
        }
        if let address { _ = try DashboardSettings.address(address, isRemote: isRemote) }
    }

    /// Serves a store, if that was asked for; says where, and the token, on standard error.
    func start(store: String, sweep: String?, verbose: Bool) throws -> Dashboard? {
        guard let address else { return nil }
        let (host, port) = try DashboardSettings.address(address, isRemote: isRemote)
        let settings = DashboardSettings(
            store: store, sweep: sweep, host: host, port: port, isRemote: isRemote)
        return try Self.start(settings, verbose: verbose)
    }

    static func start(_ settings: DashboardSettings, verbose: Bool) throws -> Dashboard {
        let token = DashboardToken()
        let dashboard = try Dashboard(
            settings, token: token, logger: ErrorStreamLog.logger(verbose: verbose))
        Failure.say("dashboard: \(dashboard.address)")
        Failure.say(
            "dashboard token\(settings.isRemote ? "" : ", to cancel and retry from it"): \(token.text)"
        )
        return dashboard
    }
}

/// Shows a store live to browsers.
struct DashboardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dashboard", abstract: "Show a store live to browsers.",
        discussion: """
            It only reads, so a coordinator may run on the store or not. `fathom run --dashboard \
            127.0.0.1:8080` shows a sweep from its start. What changes jobs needs the token that is \
            printed on standard error.
            """)

    @Argument(help: "The store, such as quickstart.fathom.sqlite.")
    var store: String

    @Option(help: "The sweep, where the store holds several; by default the newest.")
    var sweep: String?

    @Option(help: "Where to listen.")
    var listen = "127.0.0.1:8080"

    @Flag(
        name: .customLong("dashboard-remote"),
        help: "Listen where other machines reach it; everybody needs the token.")
    var isRemote = false

    func validate() throws { _ = try place }

    private var place: (host: String, port: Int) {
        get throws {
            try DashboardSettings.address(listen, isRemote: isRemote, option: "--listen")
        }
    }

    func run() throws {
        // What is wrong with the store is told now, not to the first visitor.
        let reader = try Store.openReadOnly(path: store)
        if let sweep { _ = try reader.sweep(named: sweep) }
        let (host, port) = try place
        let dashboard = try DashboardOptions.start(
            DashboardSettings(
                store: store, sweep: sweep, host: host, port: port, isRemote: isRemote),
            verbose: false)
        let stopped = DispatchSemaphore(value: 0)
        let signals = StopSignals { stopped.signal() }
        defer { signals.cancel() }
        stopped.wait()
        dashboard.close()
    }
}
