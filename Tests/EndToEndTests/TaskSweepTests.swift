import Foundation
import Testing

/// Sweeps of dense tasks, alone and together, through real processes.
@Suite("A sweep of tasks", .serialized)
struct TaskSweepTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
        try Data(Self.sweep.utf8).write(to: URL(fileURLWithPath: folder.path + "/t.yaml"))
    }

    private static let sweep = """
        version: 1
        name: tasks
        data: { set: rooms10-easy, train: 20, test: 10 }
        methods: [clean, ops]
        tasks:
          - depth
          - { name: edge, targets: released }
          - { multi: [cls, seg2d], weights: dwa }
        models: [{ name: smallcnn, width: 2 }]
        seeds: 1
        training: { epochs: 3, batch: 10, learningRate: 0.05, augment: [flip] }
        sal: { every: 3, images: 10, batch: 10, steps: 1 }
        compare: { threshold: released, controls: [] }
        """

    private func query(_ store: String, _ sql: String) throws -> String {
        try program.run(["query", store, sql, "--format", "csv"], in: folder.path).output
    }

    private static let rows = """
        SELECT j.key, m.epoch, m.task, m.split, m.name, m.value FROM metric m
          JOIN job j ON j.id = m.job
        UNION ALL SELECT j.key, s.entry, s.layer, '', 'sal', s.sal FROM sal s
          JOIN job j ON j.id = s.job ORDER BY 1, 2, 3, 4, 5
        """

    @Test("comes to the same bits on one slot and on two, with every task's rows")
    func sameBits() throws {
        for (store, slots) in [("a.sqlite", "1"), ("b.sqlite", "2")] {
            let (status, _, errors) = try program.runWithErrors(
                ["run", "t.yaml", "--db", store, "--slots", slots], in: folder.path)
            #expect(status == 0, "\(errors)")
        }
        let one = try query("a.sqlite", Self.rows)
        #expect(try one == query("b.sqlite", Self.rows))
        let told = try query(
            "a.sqlite",
            "SELECT DISTINCT task, split, name FROM metric WHERE name IN ('abs', 'pearson', "
                + "'pairAccuracy', 'accuracy', 'weight', 'clip') ORDER BY 1, 2, 3")
        for line in [
            "depth,chance,abs", "depth,test,abs", "edge:released,test,pearson",
            "edge:released,train,clip", "cls,train,weight", "seg2d,chance,pairAccuracy",
            "cls,chance,accuracy",
        ] {
            #expect(told.contains(line + "\n"), "\(line) is missing in\n\(told)")
        }
        let problems = try query("a.sqlite", "SELECT count(*) FROM problem")
        #expect(problems == "count(*)\n0\n")
        let boards = try query(
            "a.sqlite", "SELECT task, count(*) FROM leaderboard GROUP BY task ORDER BY task")
        #expect(
            boards.split(separator: "\n").dropFirst() == [
                "balanced@cls+seg2d:dwa,2", "cls@cls+seg2d:dwa,2", "depth,2",
                "edge:released,2", "joint@cls+seg2d:dwa,2", "seg2d@cls+seg2d:dwa,2",
            ])
        let (status, agreement) = try program.run(
            ["agreement", "a.sqlite", "--format", "csv"], in: folder.path)
        #expect(status == 0)
        // Six tasks, each beside itself and those after it, clean and poisoned.
        #expect(agreement.split(separator: "\n").count == 1 + 2 * 21)
    }

    @Test("draws a set, its maps and a sheet")
    func draws() throws {
        let (status, output) = try program.run(
            ["data", "render", "rooms10", "--out", "drawn", "--count", "3"], in: folder.path)
        #expect(status == 0 && output.contains("sheet.png: image, semantic"))
        for name in ["sheet.png", "images.npy", "depth.npy", "normals.npy"] {
            #expect(FileManager.default.fileExists(atPath: folder.path + "/drawn/" + name))
        }
        let (refused, _, errors) = try program.runWithErrors(
            ["data", "render", "rooms10", "--out", "x", "--first", "9999", "--count", "2"],
            in: folder.path)
        #expect(refused == 2 && errors.contains("has 10000 train images"))
    }
}
