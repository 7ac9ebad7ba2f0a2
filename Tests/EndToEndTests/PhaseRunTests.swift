import Foundation
import Testing

/// Fine-tuning and starting from a checkpoint through the whole program.
@Suite("Phases and starts in a sweep")
struct PhaseRunTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func write(_ name: String, tasks: String, training: String) throws {
        let text = """
            version: 1
            name: \(name)
            data: { set: rooms10-easy, train: 60, test: 20 }
            methods: [clean, ops]
            tasks: \(tasks)
            models: [{ name: smallcnn, width: 2 }]
            seeds: 1
            training: { epochs: 4, batch: 10, learningRate: 0.05, \(training) }
            sal: { every: 2, images: 10, batch: 10, steps: 1 }
            compare: { threshold: released, controls: [] }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(name).yaml"))
    }

    private func run(_ name: String, _ store: String, slots: Int = 2) throws -> (Int32, String) {
        let (status, _, errors) = try program.runWithErrors(
            ["run", "\(name).yaml", "--db", store, "--slots", "\(slots)"], in: folder.path)
        return (status, errors)
    }

    private func query(_ store: String, _ sql: String) throws -> [String] {
        try program.run(["query", store, sql, "--format", "csv"], in: folder.path).output
            .split(separator: "\n").dropFirst().map(String.init)
    }

    private static let rows = """
        SELECT j.key, m.epoch, m.task, m.split, m.name, m.value FROM metric m
          JOIN job j ON j.id = m.job
        UNION ALL SELECT j.key, s.entry, s.layer, '', 'sal', s.sal FROM sal s
          JOIN job j ON j.id = s.job ORDER BY 1, 2, 3, 4, 5
        """
    private static let losses =
        "SELECT m.epoch, m.value FROM leaderboard l JOIN cell c ON substr(c.key, 1, 12) = l.cell "
        + "JOIN run r ON r.cell = c.id JOIN runJob u ON u.run = r.id AND u.role = 'segment' "
        + "JOIN metric m ON m.job = u.job WHERE m.split = 'train' AND m.name = 'loss' "

    @Test("clean images come first and are trained on once; one slot and two agree bit by bit")
    func fineTunes() throws {
        try write(
            "fine", tasks: "[cls, { multi: [cls, normal], weights: mod-squad }]",
            training: "augment: [flip], phases: [{ epochs: 1, data: clean, images: first-half }, "
                + "{ epochs: 3, data: poison, images: second-half }]")
        for (store, slots) in [("a.sqlite", 1), ("b.sqlite", 2)] {
            let (status, errors) = try run("fine", store, slots: slots)
            #expect(status == 0, "\(errors)")
        }
        let one = try query("a.sqlite", Self.rows)
        #expect(try one == query("b.sqlite", Self.rows) && !one.isEmpty)
        // Segments of epochs 1, 2 and 3 to 4; the first is the clean run's for ops too.
        for task in ["cls", "cls@cls+normal:mod-squad"] {
            let first = try query(
                "a.sqlite",
                Self.losses + "AND l.task = '\(task)' AND m.epoch = 1 "
                    + "AND m.task IN ('cls', l.task) ORDER BY 1, 2")
            #expect(first.count == 2 && Set(first).count == 1, "\(first)")
            let second = try query(
                "a.sqlite",
                Self.losses + "AND l.task = '\(task)' AND m.epoch = 2 "
                    + "AND m.task IN ('cls', l.task) ORDER BY 1, 2")
            #expect(second.count == 2 && Set(second).count == 2, "\(second)")
        }
        let weights = try query(
            "a.sqlite", "SELECT count(*) FROM metric WHERE name = 'weight' AND value <> 0.5")
        #expect(weights != ["0"])
        #expect(try query("a.sqlite", "SELECT * FROM problem").isEmpty)
    }

    /// The checkpoint that a finished sweep left after its last epoch, as a file beside manifests.
    private func keepCheckpoint(_ store: String, as name: String) throws {
        let digests = try query(
            store,
            "SELECT a.digest FROM artifact a JOIN runJob u ON u.job = a.job "
                + "JOIN run r ON r.id = u.run JOIN cell c ON c.id = r.cell "
                + "WHERE a.name = 'checkpoint' ORDER BY u.position DESC, a.job DESC")
        let digest = try #require(digests.first)
        let root = "\(folder.path)/\(store).artifacts"
        let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String }
        let file = try #require(files?.first { $0.replacing("/", with: "").contains(digest) })
        try FileManager.default.copyItem(
            atPath: root + "/" + file, toPath: "\(folder.path)/\(name)")
    }

    @Test("a network goes on from a checkpoint, whole or with its backbone frozen")
    func starts() throws {
        try write("first", tasks: "[cls]", training: "schedule: constant")
        #expect(try run("first", "first.sqlite").0 == 0)
        try keepCheckpoint("first.sqlite", as: "start.safetensors")
        try write("whole", tasks: "[cls]", training: "init: start.safetensors")
        try write(
            "probe", tasks: "[normal]",
            training: "init: { checkpoint: start.safetensors, part: backbone, frozen: true }")
        for name in ["whole", "probe"] {
            let (status, errors) = try run(name, "\(name).sqlite")
            #expect(status == 0, "\(errors)")
            #expect(try query("\(name).sqlite", "SELECT * FROM problem").isEmpty)
        }
        let sql = Self.losses + "AND l.method = 'clean' AND m.epoch = 1"
        let fresh = try #require(Double(try query("first.sqlite", sql)[0].dropFirst(2)))
        let going = try #require(Double(try query("whole.sqlite", sql)[0].dropFirst(2)))
        #expect(going < fresh)
        // Nothing of a frozen backbone moves, so its layers keep their norms.
        let norms =
            "SELECT DISTINCT s.layer, s.weightNorm FROM sal s WHERE s.layer LIKE 'conv%' ORDER BY 1"
        let frozen = try query("probe.sqlite", norms)
        #expect(frozen.count == Set(frozen.map { $0.prefix { $0 != "," } }).count, "\(frozen)")
        #expect(frozen.count == 4)
        let (status, errors) = try {
            try write("misfit", tasks: "[normal]", training: "init: start.safetensors")
            return try run("misfit", "misfit.sqlite")
        }()
        #expect(status == 2 && errors.contains("start.safetensors"), "\(errors)")
        try write("absent", tasks: "[cls]", training: "init: nowhere.safetensors")
        let (gone, told) = try run("absent", "absent.sqlite")
        #expect(gone == 2 && told.contains("nowhere.safetensors"), "\(told)")
    }
}
