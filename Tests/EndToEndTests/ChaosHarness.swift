import FathomCoordinator
import FathomCore
import Foundation
import Testing

/// A sweep that is killed again and again, at seeded moments, until it has finished.
///
/// Moments are counted in finished work, not in time, so that a slow machine is hit as often as a
/// fast one.
struct Chaos {
    let program: FathomProgram
    let folder: TemporaryFolder
    let arguments: [String]
    let store: String
    private(set) var coordinatorKills = 0
    private(set) var workerKills = 0
    private(set) var runnerKills = 0
    /// What the command lines of runners have in them, where they are killed too, and how many: a
    /// job that loses three is given up.
    var runners: (mark: String, killsMax: Int)?
    private(set) var problems: [String] = []
    private var random: RandomStream

    /// - Parameter arguments: What starts the sweep, without `--db`.
    init(
        _ program: FathomProgram, in folder: TemporaryFolder, store: String, arguments: [String],
        seed: UInt64
    ) {
        self.program = program
        self.folder = folder
        self.store = store
        self.arguments = arguments + ["--db", store]
        random = RandomStream(seed: seed)
    }

    var kills: Int { coordinatorKills + workerKills + runnerKills }

    /// Kills until the sweep is done or has been killed often enough, and then lets it finish.
    ///
    /// - Parameters:
    ///   - stepMax: At most so many units of work finish between two kills on purpose.
    ///   - workerShare: The share of kills that hit the worker and not the coordinator.
    mutating func run(killsMax: Int, stepMax: Int, workerShare: Double) throws {
        while true {
            let run = try program.start(arguments, in: folder.path)
            // A run starts its worker again five times in a row, so it is not hit more often.
            var hitsLeft = 4
            while kills < killsMax, reach(finished + random.integer(below: stepMax + 1), in: run) {
                if killRunner(of: run) { continue }
                guard hitsLeft > 0, random.uniformDouble() < workerShare else {
                    try killCoordinator(run)
                    break
                }
                hitsLeft -= 1
                killWorker(of: run)
            }
            run.waitUntilExit()
            if run.terminationReason == .exit {
                if run.terminationStatus != 0 {
                    problems.append("ended with status \(run.terminationStatus)")
                }
                return
            }
        }
    }

    /// How many units of work are stored.
    private var finished: Int { StoredWork.finished(in: folder.path + "/" + store) }

    /// Waits until so much work is finished; false when the run ended before.
    private func reach(_ target: Int, in run: Process) -> Bool {
        let isReached = eventually(within: 120) {
            !run.isRunning
                || !agents(of: run).isEmpty && finished >= target
        }
        return isReached && run.isRunning
    }

    /// Its agents, not the guards of runners that it asks what they are.
    private func agents(of run: Process) -> [Int32] {
        Processes.children(of: run.processIdentifier).filter {
            Processes.commandLine(of: $0).contains("\0agent\0")
        }
    }

    /// Kills one of the runners that slots have behind their guards: the first time, and then
    /// every other time as long as it may; false when none was killed.
    private mutating func killRunner(of run: Process) -> Bool {
        guard let runners, runnerKills < runners.killsMax,
            runnerKills == 0 || random.uniformDouble() < 0.5
        else { return false }
        var victims: [Int32] = []
        let isThere = eventually(within: 10) {
            let slots = Processes.children(of: run.processIdentifier).flatMap(Processes.children)
            victims = slots.flatMap(Processes.children).flatMap(Processes.children)
                .filter { Processes.commandLine(of: $0).contains(runners.mark) }
            return !victims.isEmpty || !run.isRunning
        }
        guard isThere, !victims.isEmpty else { return false }
        runnerKills += 1
        kill(victims[random.integer(below: victims.count)], SIGKILL)
        return true
    }

    private mutating func killWorker(of run: Process) {
        guard let agent = agents(of: run).first else { return }
        workerKills += 1
        kill(agent, SIGKILL)
        _ = eventually(within: 10) { !Processes.isAlive(agent) }
    }

    private mutating func killCoordinator(_ run: Process) throws {
        coordinatorKills += 1
        let agents = agents(of: run)
        let slots = agents.flatMap(Processes.children)
        kill(run.processIdentifier, SIGKILL)
        let areGone = eventually(within: 10) {
            !(agents + slots).contains(where: Processes.isAlive)
        }
        if !areGone { problems.append("processes outlived their coordinator") }
    }
}

/// What a store says while somebody else writes it.
enum StoredWork {
    /// How many attempts are accepted.
    static func finished(in store: String) -> Int {
        count("SELECT count(*) FROM attempt WHERE state = 'accepted'", in: store)
    }

    /// The number that a query answers; 0 while there is no store.
    static func count(_ query: String, in store: String) -> Int {
        guard let reader = try? Store.openReadOnly(path: store),
            let rows = try? reader.query(query), case .integer(let count)? = rows.rows.first?.first
        else { return 0 }
        return Int(count)
    }
}

/// The files that an export must repeat byte for byte.
enum Exports {
    /// The contents of `results/` by file name.
    static func results(
        of store: String, in folder: TemporaryFolder, by program: FathomProgram
    ) throws -> [String: Data] {
        let out = store + ".export"
        let (status, _) = try program.run(["export", store, "--out", out], in: folder.path)
        try #require(status == 0)
        let results = folder.path + "/" + out + "/results"
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: results) {
            files[name] = FileManager.default.contents(atPath: results + "/" + name)
        }
        return files
    }
}
