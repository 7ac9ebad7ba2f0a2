import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation

/// Hands a visitor's wish to the coordinator, through the control socket that other commands use.
/// The store itself is never written.
enum DashboardSteering {
    /// - Returns: A status of HTTP, and what to tell.
    static func carryOut(
        _ action: DashboardDecision.Action, target: String, sweep: String?, store: String,
        _ reader: StoreReader
    ) throws -> (Int, String) {
        let queries = DashboardQueries(reader: reader)
        guard let (name, _) = try queries.sweep(named: sweep) else {
            return (404, "the store has no sweep")
        }
        let keys = try SteeringTarget(text: target, sweep: name, states: states(action))
            .jobs(in: reader)
        let commands = keys.map { command(action, $0) }
        guard let result = try ControlClient.send(commands, toStore: store) else {
            return (
                409,
                "no coordinator runs; `fathom \(action.rawValue) \(store) \(target)` does it, and "
                    + "the next run takes it up"
            )
        }
        return (200, told(action, result))
    }

    private static func states(_ action: DashboardDecision.Action) -> String {
        switch action {
        case .retry: "'quarantined'"
        case .cancel: "'open'"
        case .pause, .resume: "'open', 'blocked', 'quarantined'"
        }
    }

    private static func command(
        _ action: DashboardDecision.Action, _ key: JobKey
    ) -> SteeringCommand {
        switch action {
        case .retry: .retry(key)
        case .cancel: .cancel(key)
        case .pause: .pause(key)
        case .resume: .resume(key)
        }
    }

    private static func told(
        _ action: DashboardDecision.Action, _ result: SteeringResult
    ) -> String {
        func jobs(_ count: Int) -> String { count == 1 ? "1 job" : "\(count) jobs" }
        return switch action {
        case .retry: "\(jobs(result.reopened)) put back"
        case .cancel: "\(jobs(result.givenUp)) given up"
        case .pause: "\(jobs(result.paused)) paused"
        case .resume: "\(jobs(result.resumed)) resumed"
        }
    }
}
