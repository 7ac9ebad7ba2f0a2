import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation

/// Which store, and what in it.
struct SteerOptions: ParsableArguments {
    @Argument(help: "The store, such as quickstart.fathom.sqlite.")
    var store: String

    @Argument(help: "A job's key or a cell, by their first digits, or the sweep's name.")
    var target: String

    @Option(help: "The sweep, where the store holds several.")
    var sweep: String?

    /// So many jobs, in words.
    static func jobs(_ count: Int) -> String { count == 1 ? "1 job" : "\(count) jobs" }

    /// Tells the running coordinator, or changes the store where none runs.
    ///
    /// - Parameter states: The states in which a job is meant, as SQL.
    func steer(
        states: String, _ command: (JobKey) -> SteeringCommand
    ) throws -> SteeringResult {
        let reader = try Store.openReadOnly(path: store)
        let id = try reader.sweep(named: sweep)
        let keys = try SteeringTarget(
            text: target, sweep: try reader.name(of: id), states: states
        )
        .jobs(in: reader)
        let commands = keys.map(command)
        if let result = try ControlClient.send(commands, toStore: store) { return result }
        let writer = try Store(path: store)
        let result = try OfflineSteering.apply(commands, to: id, of: writer)
        try writer.checkpointAndClose()
        return result
    }
}

/// Puts given-up jobs back.
struct RetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Put jobs that were given up back, and what waits for them.",
        discussion: "A running coordinator is told; otherwise the next run takes them up.")

    @OptionGroup var options: SteerOptions

    func run() throws {
        let result = try options.steer(states: "'quarantined'") { .retry($0) }
        print("\(SteerOptions.jobs(result.reopened)) put back")
    }
}

/// Gives jobs up.
struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Give jobs up, and what needs them.",
        discussion: "A cell's jobs that other cells need too go on. `fathom retry` undoes it.")

    @OptionGroup var options: SteerOptions

    func run() throws {
        let result = try options.steer(states: "'open'") { .cancel($0) }
        print("\(SteerOptions.jobs(result.givenUp)) given up")
    }
}

/// Holds jobs back.
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Hold jobs back; what runs of them goes on.",
        discussion: "`fathom resume` lets them go on. A paused sweep waits; it does not end.")

    @OptionGroup var options: SteerOptions

    func run() throws {
        let result = try options.steer(states: "'open', 'blocked', 'quarantined'") { .pause($0) }
        print("\(SteerOptions.jobs(result.paused)) paused")
    }
}

/// Lets paused jobs go on.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let jobs that were paused go on.")

    @OptionGroup var options: SteerOptions

    func run() throws {
        let result = try options.steer(states: "'open', 'blocked', 'quarantined'") { .resume($0) }
        print("\(SteerOptions.jobs(result.resumed)) resumed")
    }
}

/// Throws results away.
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Throw jobs' results away, so that they run again.",
        discussion: """
            A cell's jobs that other cells need too keep theirs. Jobs that read a forgotten one keep \
            their results, because the same job makes the same again.
            """)

    @OptionGroup var options: SteerOptions

    func run() throws {
        let result = try options.steer(states: "'open', 'finished'") { .forget($0) }
        let jobs = SteerOptions.jobs(result.forgotten)
        print("\(jobs) forgotten; run the sweep to compute them again")
    }
}
