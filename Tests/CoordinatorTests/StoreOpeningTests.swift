import FathomCoordinator
import Foundation
import Testing

@Suite("Opening a store")
struct StoreOpeningTests {
    private func failure(_ body: () throws -> Void) -> StoreError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    @Test("a new store keeps its term over closing and opening")
    func termRises() throws {
        let folder = try StoreFolder()
        let path = folder.file("a.sqlite")
        let first = try Store(path: path)
        #expect(try first.nextTerm() == 1)
        #expect(try first.nextTerm() == 2)
        try first.checkpointAndClose()
        #expect(try Store.openReadOnly(path: path).sweepNames() == [])
    }

    @Test("a term goes on where the last coordinator stopped")
    func termGoesOn() throws {
        let folder = try StoreFolder()
        let path = folder.file("a.sqlite")
        for expected in 1...3 {
            let store = try Store(path: path)
            #expect(try store.nextTerm() == expected)
        }
    }

    @Test(
        "what is not ours is refused in one line and left as it is",
        arguments: ["text", "empty", "sqlite"])
    func foreign(kind: String) throws {
        let folder = try StoreFolder()
        let path = folder.file("notes.sqlite")
        var bytes = kind == "text" ? Data("not a database, but mine\n".utf8) : Data()
        if kind == "sqlite" {
            bytes = Data("SQLite format 3\0".utf8) + Data(repeating: 7, count: 4080)
        }
        try bytes.write(to: URL(fileURLWithPath: path))
        for open in [{ _ = try Store(path: path) }, { _ = try Store.openReadOnly(path: path) }] {
            let error = try #require(failure(open))
            guard case .foreignDatabase = error else {
                Issue.record("\(error)")
                return
            }
            #expect(!error.description.contains("\n") && error.description.contains(path))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["notes.sqlite"])
    }

    @Test("a second coordinator is refused and told the first one's process")
    func locked() throws {
        let folder = try StoreFolder()
        let path = folder.file("a.sqlite")
        let first = try Store(path: path)
        let error = failure { _ = try Store(path: path) }
        #expect(error == .inUse(path: path, processID: Int(getpid())))
        #expect(error?.description.contains("in use by process \(getpid())") == true)
        #expect(error?.isRetryable == true)
        #expect(try first.nextTerm() == 1)
    }

    /// How many locks anybody has on a file.
    private func lockCount(_ path: String) throws -> Int {
        let inode = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber]
        let number = try #require(inode as? Int)
        return try String(contentsOfFile: "/proc/locks", encoding: .utf8)
            .split(separator: "\n").count { $0.contains(":\(number) ") }
    }

    // Without its lock on the file, the next program that opened the store removed the log.
    @Test("readers that come and go in its process leave the writer its locks")
    func locksStay() throws {
        let folder = try StoreFolder()
        let path = folder.file("a.sqlite")
        let store = try Store(path: path)
        #expect(try store.nextTerm() == 1)
        #expect(try lockCount(path) == 1)
        for _ in 0..<3 { #expect(try Store.openReadOnly(path: path).sweepNames() == []) }
        #expect(failure { _ = try Store(path: path) } != nil)
        #expect(try lockCount(path) == 1)
        try store.checkpointAndClose()
        #expect(try lockCount(path) == 0)
    }

    @Test("readers work beside the writer, and a missing store is no new one")
    func reading() throws {
        let folder = try StoreFolder()
        let path = folder.file("a.sqlite")
        #expect(failure { _ = try Store.openReadOnly(path: path) } == .missing(path: path))
        #expect(!FileManager.default.fileExists(atPath: path))
        let store = try Store(path: path)
        let reader = try Store.openReadOnly(path: path)
        let sweep = try store.register(SyntheticSweep().plan)
        #expect(try reader.sweepNames() == ["synthetic"])
        #expect(try reader.sweep(named: nil) == sweep)
        #expect(
            failure { _ = try reader.sweep(named: "other") }
                == .unknownSweep(name: "other", known: ["synthetic"]))
    }

    @Test("an older store is migrated after a backup, a newer one refused")
    func migration() throws {
        let folder = try StoreFolder()
        let path = folder.file("a.sqlite")
        let first = try Store(path: path)
        _ = try first.register(SyntheticSweep().plan)
        try first.checkpointAndClose()
        try migrateOnce(path)
        let backup = try Store.openReadOnly(path: path + ".backup-v\(StoreSchema.current.version)")
        #expect(try backup.sweepNames() == ["synthetic"])
        let error = failure { _ = try Store(path: path) }
        #expect(
            error
                == .newerSchema(
                    path: path, found: StoreSchema.current.version + 1,
                    supported: StoreSchema.current.version))
    }

    private func migrateOnce(_ path: String) throws {
        var schema = StoreSchema.current
        schema.migrations.append("CREATE TABLE later (number INTEGER) STRICT")
        let store = try Store(path: path, schema: schema)
        #expect(try store.query("SELECT count(*) FROM later").rows == [[.integer(0)]])
        #expect(try store.query("SELECT name FROM sweep").rows == [[.text("synthetic")]])
    }

    @Test("a folder that cannot be written is said so", .enabled(if: getuid() != 0))
    func readOnlyFolder() throws {
        let folder = try StoreFolder()
        chmod(folder.path, 0o500)
        let error = failure { _ = try Store(path: folder.file("a.sqlite")) }
        guard case .readOnly = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("a folder that is not there is said so")
    func noFolder() {
        let error = failure { _ = try Store(path: "/proc/no/such/folder/a.sqlite") }
        guard case .readOnly = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.isRetryable == false)
    }

    @Test("damage is found and named")
    func corrupt() throws {
        let folder = try StoreFolder()
        let path = folder.file("a.sqlite")
        let store = try Store(path: path)
        _ = try store.register(SyntheticSweep().plan)
        try store.checkpointAndClose()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for index in 4096..<bytes.count { bytes[index] = 0xA5 }
        try bytes.write(to: URL(fileURLWithPath: path))
        let error = failure {
            _ = try Store.openReadOnly(path: path).query("SELECT count(*) FROM job")
        }
        guard case .corrupt = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("network file systems are known by the mount they lie on")
    func networkFileSystems() {
        let mounts = """
            /dev/vda / ext4 rw 0 0
            server:/people /people nfs4 rw 0 0
            tmpfs /people/scratch tmpfs rw 0 0
            me@host: /mnt/far\\040away fuse.sshfs rw 0 0
            """
        func kind(_ path: String) -> String? {
            NetworkFileSystem.kind(holding: path, mounts: mounts)
        }
        #expect(kind("/var/tmp") == nil)
        #expect(kind("/people/ada") == "nfs4")
        #expect(kind("/homely") == nil)
        #expect(kind("/people/scratch/a") == nil)
        #expect(kind("/mnt/far away/b") == "fuse.sshfs")
        let error = StoreError.networkFileSystem(path: "/people/ada/a.sqlite", kind: "nfs4")
        #expect(error.description.contains("local disk"))
    }
}
