import ArgumentParser
import FathomCoordinator
import FathomDashboard
import FathomProtocol
import FathomWorker
import Foundation

/// Settings that local runs share.
struct RunOptions: ParsableArguments {
    @Option(help: "The store; by default NAME.fathom.sqlite in this folder.")
    var db: String?

    @Option(help: "How many jobs run at the same time; by default one a core.")
    var slots: Int?

    @Option(help: "Where data sets lie; by default the usual places.")
    var data: String?

    @Option(help: "Where the coordinator listens.")
    var listen = "tcp://127.0.0.1:*"

    @Option(help: "The most bytes of files to keep, such as 200G; by default all that `keep` says.")
    var artifactBytes: ByteCount?

    @Option(help: .hidden)
    var shardEntries: Int?

    @OptionGroup(title: "Runners") var runners: RunnerOptions

    @Flag(help: "Log more.")
    var verbose = false

    func validate() throws {
        if let slots, !(1...MessageLimits.slotsPerWorker).contains(slots) {
            throw ValidationError(
                "--slots is \(slots); it takes 1 to \(MessageLimits.slotsPerWorker)")
        }
        if let shardEntries, shardEntries < 1 {
            throw ValidationError("--shard-entries is \(shardEntries); at least 1")
        }
    }

    func sweep(_ plan: SweepPlan) throws -> LocalSweep {
        LocalSweep(
            plan: plan, storePath: db ?? "\(plan.name).fathom.sqlite",
            slots: slots ?? ProcessInfo.processInfo.activeProcessorCount, dataFolder: data,
            shardEntries: shardEntries, listen: listen, artifactBytes: artifactBytes?.bytes,
            runners: try runners.setup(),
            logger: ErrorStreamLog.logger(verbose: verbose))
    }
}

/// Computes a sweep on this machine and prints the leaderboard.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Compute a sweep on this machine.",
        discussion: "Run again, it goes on where it was, or says that all is done.")

    @Argument(help: "The sweep file.")
    var sweep: String

    @OptionGroup var options: RunOptions
    @OptionGroup var dashboard: DashboardOptions

    func run() throws {
        let (plan, imported) = try Engine.planWithFiles(sweep, dataFolder: options.data)
        for note in plan.notes { Failure.say("note: \(note)") }
        let sweep = try options.sweep(plan)
        try imported.keep(in: ArtifactFolder(path: sweep.storePath + ".artifacts"))
        let shown = try dashboard.start(
            store: sweep.storePath, sweep: plan.name, verbose: options.verbose)
        defer { shown?.close() }
        let (store, id) = try sweep.run()
        try SweepEnd.show(store, id)
        let tally = try store.reader.tally(of: id)
        try store.checkpointAndClose()
        try SweepEnd.exit(for: tally)
    }
}

/// Runs jobs that compute nothing: for tests of the machinery.
struct ProbesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probes", abstract: "Run jobs that compute nothing.", shouldDisplay: false)

    @Option var count = 1_000
    @Option var fail = 0
    @Option var crash = 0
    @Option var hang = 0
    @OptionGroup var options: RunOptions
    @OptionGroup var dashboard: DashboardOptions

    func run() throws {
        let conducts: [(ProbeSpec.Conduct, Int)] = [
            (.succeed, count), (.fail, fail), (.crash, crash), (.hang, hang),
        ]
        let probes = try options.sweep(ProbePlan.plan(conducts))
        let shown = try dashboard.start(
            store: probes.storePath, sweep: nil, verbose: options.verbose)
        defer { shown?.close() }
        let (store, sweep) = try probes.run()
        let tally = try store.reader.tally(of: sweep)
        print("\(tally.finished) of \(tally.jobs) probes finished")
        try store.checkpointAndClose()
        try SweepEnd.exit(for: tally)
    }
}

/// What is said when no job is open any more.
enum SweepEnd {
    /// Merges the rows and prints the leaderboard.
    static func show(
        _ store: Store, _ sweep: SweepID, format: TableFormat = .table
    ) throws {
        try store.merge(sweep)
        let rows = try store.reader.leaderboard(of: sweep)
        let table = LeaderboardTable(
            Leaderboard(rows), sweep: try store.reader.name(of: sweep),
            agreements: try store.reader.rankAgreements(of: sweep), style: Terminal.output())
        print(table.text(as: format), terminator: "")
    }

    /// Puts a copy of the store in place of an older one. The sweep is over, whether that works or
    /// not.
    ///
    /// The copy is made beside the store: the target's file system may be one that locks nothing.
    static func copy(_ store: String, to target: String) {
        let (copy, draft) = (store + ".copy", target + ".part")
        defer { for path in [copy, draft] { unlink(path) } }
        do {
            for path in [copy, draft] { unlink(path) }
            _ = try Store.openReadOnly(path: store).backUp(to: copy)
            try FileManager.default.copyItem(atPath: copy, toPath: draft)
            guard rename(draft, target) == 0 else {
                throw InputError(description: String(cString: strerror(errno)))
            }
        } catch {
            Failure.say("the store is at \(store); it was not copied to \(target): \(error)")
        }
    }

    /// Leaves with status 1 when jobs were given up.
    static func exit(for tally: JobTally) throws {
        guard tally.quarantined + tally.blocked > 0 else { return }
        Failure.say(
            "\(tally.quarantined) jobs failed and \(tally.blocked) wait for them in vain")
        throw ExitStatus.unfinishedJobs
    }
}
