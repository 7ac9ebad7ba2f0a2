import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation
import Testing

/// Stores of every schema that was ever released, opened by this program.
@Suite("Store migrations")
struct StoreMigrationTests {
    /// The rows of a store of version 1: one job with a measured layer and its walks.
    private static let rowsOfFirst = """
        INSERT INTO job (id, key, kind, spec, entryCount) VALUES (1, printf('%064d', 1), 'sal',
          '{}', 2);
        INSERT INTO sal (job, layerIndex, layer, weightCount, sMax, sMin, sal, salAccuracy)
          VALUES (1, 0, 'conv1', 54, 0.5, 0.25, 0.5, 0.125),
            (1, 1, 'fc', 840, 1.5, 0.25, 1.5, 0.25);
        INSERT INTO salWalk (job, layerIndex, direction, losses, accuracies, radii, diverged)
          VALUES (1, 1, 'up', '[2.5]', '[0.5]', '[0.05]', 0);
        INSERT INTO salMatrix (sweep, cell, method, task, model, defense, seed, granularity, epoch,
          layerIndex, layer, sal) VALUES ('s', 'c', 'clean', 'cls', 'lenet5', 'none', 0, 'layer', 2,
          1, 'fc', 1.5);
        """

    /// Makes a store as an older program would have left it.
    private func store(ofVersion version: Int, at path: String, rows: String) throws {
        var schema = StoreSchema.current
        schema.migrations = Array(schema.migrations[..<version])
        schema.migrations[version - 1] += rows
        try Store(path: path, schema: schema).checkpointAndClose()
    }

    @Test("keep the rows of a store of version 1, whose SAL rows are whole layers")
    func fromFirst() throws {
        let folder = try StoreFolder()
        let path = folder.file("old.sqlite")
        try store(ofVersion: 1, at: path, rows: Self.rowsOfFirst)
        let migrated = try Store(path: path)
        let sal = try migrated.query(
            "SELECT entry, layerIndex, filter, layer, sal FROM sal ORDER BY entry")
        #expect(
            sal.rows == [
                [.integer(0), .integer(0), .null, .text("conv1"), .real(0.5)],
                [.integer(1), .integer(1), .null, .text("fc"), .real(1.5)],
            ])
        let walk = try migrated.query("SELECT job, entry, direction, losses FROM salWalk")
        #expect(walk.rows == [[.integer(1), .integer(1), .text("up"), .text("[2.5]")]])
        let matrix = try migrated.query("SELECT entry, filter, layer FROM salMatrix")
        #expect(matrix.rows == [[.integer(1), .null, .text("fc")]])
        #expect(try migrated.query("SELECT * FROM pragma_foreign_key_check").rows.isEmpty)
    }

    @Test("keep a run's jobs when runs learn of landscapes, and the views over them")
    func landscapes() throws {
        let folder = try StoreFolder()
        let rows = """
            INSERT INTO sweep (id, name, manifest, comparison, createdAt, registeredAt)
              VALUES (1, 's', '{}', '{}', 0, 0);
            INSERT INTO cell (id, sweep, key, label, position, method, methodName, task, model,
              defense, dataSet, epochs, classCount, granularity, baselineGroup, methodSettings)
              VALUES (1, 1, printf('%064d', 2), 'c', 0, 'lsp', 'lsp', 'cls', 'lenet5', 'none',
                'mnist', 2, 10, 'layer', '{}', '{}');
            INSERT INTO run (id, cell, seed) VALUES (1, 1, 7);
            INSERT INTO job (id, key, kind, spec, entryCount, state, reason)
              VALUES (1, printf('%064d', 3), 'sal', '{}', 5, 'quarantined', 'why');
            INSERT INTO sweepJob (sweep, position, job) VALUES (1, 0, 1);
            INSERT INTO runJob (run, role, position, epoch, job) VALUES (1, 'sal', 0, 2, 1);
            """
        try store(ofVersion: 4, at: folder.file("old.sqlite"), rows: rows)
        let migrated = try Store(path: folder.file("old.sqlite"))
        let jobs = try migrated.query("SELECT run, role, position, epoch, job FROM runJob")
        #expect(
            jobs.rows == [[.integer(1), .text("sal"), .integer(0), .integer(2), .integer(1)]])
        #expect(
            try migrated.query("SELECT cell, kind, quarantined FROM progress").rows
                == [[.text("c"), .text("sal"), .integer(1)]])
        #expect(
            try migrated.query("SELECT cell, state, reason FROM problem").rows
                == [[.text("c"), .text("quarantined"), .text("why")]])
        #expect(try migrated.query("SELECT * FROM pragma_foreign_key_check").rows.isEmpty)
    }

    /// A store as an older program left it, with rows in every table: `Tests/Fixtures/stores`.
    ///
    /// - Returns: How many rows each table has.
    private func kept(version: Int, at path: String) throws -> [String: Int] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
        let dump = try String(
            contentsOf: tests.appendingPathComponent("Fixtures/stores/v\(version).sql"),
            encoding: .utf8)
        let empty = Array(repeating: "", count: version - 1)
        let schema = StoreSchema(
            applicationID: StoreSchema.current.applicationID, migrations: empty + [dump])
        try Store(path: path, schema: schema).checkpointAndClose()
        var counts: [String: Int] = [:]
        for line in dump.split(separator: "\n") where line.hasPrefix("INSERT INTO \"") {
            counts[String(line.split(separator: "\"")[1]), default: 0] += 1
        }
        return counts
    }

    @Test("lose no row of a store that was kept", arguments: 1..<StoreSchema.current.version)
    func keepsRows(version: Int) throws {
        let folder = try StoreFolder()
        let path = folder.file("old.sqlite")
        let before = try kept(version: version, at: path)
        #expect(before.count >= 20)
        let migrated = try Store(path: path)
        // Points of landscapes were sampled by no version before the sixth; their table was made anew.
        for (table, count) in before where table != "landscape" || version > 4 {
            let rows = try migrated.query("SELECT count(*) FROM \(table)").rows
            #expect(rows == [[.integer(Int64(count))]], "\(table)")
        }
        #expect(FileManager.default.fileExists(atPath: path + ".backup-v\(version)"))
        #expect(try StoreCheck(path: path).problems.isEmpty)
        let jobs = try migrated.query(
            "SELECT substr(key, 64), state, forgivenAttempts FROM job ORDER BY id LIMIT 4")
        #expect(
            jobs.rows == [
                [.text("3"), .text("finished"), .integer(0)],
                [.text("4"), .text("finished"), .integer(1)],
                [.text("5"), .text("finished"), .integer(0)],
                [.text("6"), .text("quarantined"), .integer(0)],
            ])
        // It can be worked with: a job is found by its key and put back.
        let key = try #require(
            Digest(hex: String(repeating: "0", count: 48) + String(repeating: "6", count: 16)))
        try migrated.apply([.jobReopened(JobKey(key))])
        #expect(
            try migrated.query("SELECT state FROM job WHERE id = 4").rows == [[.text("open")]])
        try migrated.checkpointAndClose()
    }

    @Test("lead to the schema of a new store", arguments: 1..<StoreSchema.current.version)
    func sameSchema(version: Int) throws {
        let folder = try StoreFolder()
        try store(ofVersion: version, at: folder.file("old.sqlite"), rows: "")
        func tables(_ name: String) throws -> QueryResult {
            try Store(path: folder.file(name)).query(
                "SELECT m.name, c.name, c.type, c.pk FROM sqlite_schema m, pragma_table_info(m.name) c "
                    + "WHERE m.type IN ('table', 'view') ORDER BY 1, c.cid")
        }
        #expect(try tables("old.sqlite").rows == tables("new.sqlite").rows)
    }
}
