import FathomCore
import FathomProtocol
import Foundation
import GRDB

/// Reads a sweep's jobs with a few passes over the tables, whatever their number.
struct JobLoader {
    let db: Database
    let sweep: SweepID
    /// The plan that was registered last, or nothing.
    let planned: [PlannedJob]

    private struct Attempts {
        var used = 0
        var charged = 0
        var lost = 0
        var isAudited = false
    }

    func load() throws -> [StoredJob] {
        let attempts = try attempts()
        let entries = try entries()
        let artifacts = try artifacts()
        var jobs =
            try planned.isEmpty
            ? readAll()
            : planned.map {
                Self.open($0.spec, key: $0.key, entryCount: $0.entryCount)
            }
        try rows(Self.touchedSQL) { row in
            let id: Int64 = row[0]
            let position: Int = row[1]
            guard jobs.indices.contains(position), let state = StoredJob.State(rawValue: row[2])
            else { throw damaged("job \(id) has no readable state") }
            let tried = attempts[id] ?? Attempts()
            jobs[position].state = state
            jobs[position].isPaused = row[3]
            jobs[position].entriesFinished = entries[id] ?? []
            jobs[position].attemptsUsed = tried.used
            jobs[position].attemptsCharged = tried.charged
            jobs[position].attemptsLost = tried.lost
            jobs[position].isAudited = tried.isAudited
            jobs[position].artifacts = artifacts[id] ?? []
        }
        return jobs
    }

    /// Jobs of which something is known beyond the plan: few of a sweep that has just begun.
    private static let touchedSQL = """
        SELECT j.id, sj.position, j.state, j.paused
        FROM sweepJob sj JOIN job j ON j.id = sj.job
        WHERE sj.sweep = ? AND (j.state <> 'open' OR j.paused
          OR j.id IN (SELECT job FROM attempt) OR j.id IN (SELECT job FROM sal)
          OR j.id IN (SELECT job FROM landscape))
        """

    /// All jobs as their specifications say, in the order of their positions, which have no gaps.
    private func readAll() throws -> [StoredJob] {
        let decoder = JSONDecoder()
        var jobs: [StoredJob] = []
        try rows(
            """
            SELECT j.id, j.key, j.spec, j.entryCount FROM sweepJob sj JOIN job j ON j.id = sj.job
            WHERE sj.sweep = ? ORDER BY sj.position
            """
        ) { row in
            let id: Int64 = row[0]
            guard let digest = Digest(hex: row[1]) else {
                throw damaged("job \(id) has no readable key")
            }
            let spec = try spec(row[2], of: id, decoder)
            jobs.append(Self.open(spec, key: JobKey(digest), entryCount: row[3]))
        }
        return jobs
    }

    private static func open(_ spec: JobSpec, key: JobKey, entryCount: Int) -> StoredJob {
        StoredJob(
            key: key, spec: spec, entryCount: entryCount, state: .open, entriesFinished: [],
            attemptsUsed: 0, attemptsCharged: 0, attemptsLost: 0, artifacts: [])
    }

    private func spec(_ text: String, of id: Int64, _ decoder: JSONDecoder) throws -> JobSpec {
        do {
            return try decoder.decode(JobSpec.self, from: Data(text.utf8))
        } catch {
            throw damaged("job \(id) has settings this program cannot read: \(error)")
        }
    }

    private func damaged(_ detail: String) -> StoreError {
        .corrupt(path: db.configuration.label ?? "the store", detail: detail)
    }

    private func rows(_ sql: String, _ body: (Row) throws -> Void) throws {
        let cursor = try Row.fetchCursor(db, sql: sql, arguments: [sweep.number])
        while let row = try cursor.next() { try body(row) }
    }

    private func attempts() throws -> [Int64: Attempts] {
        var found: [Int64: Attempts] = [:]
        try rows(
            """
            SELECT a.job, max(a.attempt),
              sum(a.attempt > j.forgivenAttempts AND a.state IN ('error', 'slotDeath')),
              sum(a.attempt > j.forgivenAttempts AND a.state IN ('workerLost', 'coordinatorLost')),
              max(a.state IN ('agreed', 'disagreed'))
            FROM attempt a JOIN job j ON j.id = a.job
            WHERE a.job IN (SELECT job FROM sweepJob WHERE sweep = ?) GROUP BY a.job
            """
        ) { row in
            found[row[0]] = Attempts(
                used: row[1], charged: row[2], lost: row[3], isAudited: row[4])
        }
        return found
    }

    private func entries() throws -> [Int64: Set<Int>] {
        var found: [Int64: Set<Int>] = [:]
        for table in ["sal", "landscape"] {
            try rows(
                """
                SELECT s.job, s.entry FROM \(table) s JOIN job j ON j.id = s.job
                WHERE j.state <> 'finished' AND s.job IN (SELECT job FROM sweepJob WHERE sweep = ?)
                """
            ) { row in found[row[0], default: []].insert(row[1]) }
        }
        return found
    }

    private func artifacts() throws -> [Int64: [ArtifactReference]] {
        var found: [Int64: [ArtifactReference]] = [:]
        try rows(
            """
            SELECT job, name, digest, bytes FROM artifact
            WHERE job IN (SELECT job FROM sweepJob WHERE sweep = ?) ORDER BY job, name
            """
        ) { row in
            guard let digest = Digest(hex: row[2]) else { return }
            found[row[0], default: []].append(
                ArtifactReference(name: row[1], digest: digest, bytes: row[3]))
        }
        return found
    }
}
