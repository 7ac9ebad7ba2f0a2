import FathomMessaging
import Foundation
import Testing

/// Key files, and who is let in.
@Suite("Keys", .serialized)
struct KeysTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func fathom(_ arguments: String...) throws -> (status: Int32, output: String) {
        let (status, output, errors) = try program.runWithErrors(arguments, in: folder.path)
        return (status, output + errors)
    }

    @Test("are made for their owner's eyes, and put on a list, named, and taken off")
    func lists() throws {
        let key = try ClusterHarness.makeKey("a.key", program, folder)
        let other = try ClusterHarness.makeKey("b.key", program, folder)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/a.key")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try fathom("keys", "new", "a.key").status == 2)
        #expect(try fathom("keys", "allow", "list", key, "--name", "node 1").status == 0)
        #expect(try fathom("keys", "allow", "list", other).status == 0)
        #expect(try fathom("keys", "list", "list").output == "\(key) node 1\n\(other)\n")
        let list = try FileManager.default.attributesOfItem(atPath: folder.path + "/list")
        #expect(list[.posixPermissions] as? Int == 0o600)
        #expect(try fathom("keys", "revoke", "list", "node 1").status == 0)
        #expect(try fathom("keys", "list", "list").output == "\(other)\n")
        let (status, said) = try fathom("keys", "revoke", "list", "node 1")
        #expect(status == 2)
        #expect(said.contains("list has no key and no name node 1"))
        #expect(try fathom("keys", "allow", "list", "abc").status == 2)
    }

    @Test("that others can read, or lists that others can change, are refused with the cure")
    func permissions() throws {
        _ = try ClusterHarness.makeKey("a.key", program, folder)
        let key = try ClusterHarness.makeKey("b.key", program, folder)
        #expect(try fathom("keys", "allow", "list", key).status == 0)
        try ClusterSweep.write(to: folder, seeds: 1)
        let words = [
            "coordinator", "cluster.yaml", "--listen", "tcp://127.0.0.1:*", "--key", "a.key",
            "--allow", "list", "--data", "data", "--listen-files", "tcp://127.0.0.1:*",
        ]
        chmod(folder.path + "/a.key", 0o640)
        var (status, _, said) = try program.runWithErrors(words, in: folder.path)
        #expect(status == 2)
        #expect(said.contains("a.key can be read by others; run chmod 600 a.key"))
        chmod(folder.path + "/a.key", 0o600)
        chmod(folder.path + "/list", 0o620)
        (status, _, said) = try program.runWithErrors(words, in: folder.path)
        #expect(status == 2)
        #expect(said.contains("list can be changed by others; run chmod 600 list"))
    }

    @Test("that are unknown do not get in; one that is revoked loses its work to others")
    func revoked() throws {
        // Long enough that it is not over before the key is gone.
        try ClusterSweep.write(to: folder, seeds: 20)
        let expected = try ClusterSweep.calm(in: folder, by: program)
        let cluster = try ClusterHarness(program, in: folder, leaseSeconds: 60)
        let second = try ClusterHarness.makeKey("second.key", program, folder)
        _ = try ClusterHarness.makeKey("stranger.key", program, folder)
        #expect(try fathom("keys", "allow", "allowed", second, "--name", "second").status == 0)
        try cluster.startWorker(key: "second.key")
        try cluster.startWorker(key: "stranger.key", more: ["--patience", "2"])
        try cluster.startCoordinator("cluster.yaml")
        try #require(cluster.reach(5))
        #expect(try fathom("keys", "revoke", "allowed", "second").status == 0)
        // The lease would last a minute: the coordinator must have noticed by itself.
        try #require(
            eventually(within: 30) {
                cluster.count("SELECT count(*) FROM event WHERE kind = 'workerLost'") == 1
            })
        try cluster.startWorker()
        try cluster.finish(within: 300, allGoHome: false)
        let found = try Exports.results(of: "a.sqlite", in: folder, by: program)
        #expect(found == expected)
        let seen = cluster.count("SELECT count(*) FROM worker")
        #expect(seen == 2, "the stranger was never registered")
        #expect(!cluster.coordinatorLines(with: "this key is not on the allow-list").isEmpty)
        #expect(!cluster.coordinatorLines(with: "this key was revoked").isEmpty)
        // No secret is ever logged.
        for name in ["server.key", "second.key", "stranger.key", "worker.key"] {
            let text = try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)
            let secret = text.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(cluster.coordinatorLines(with: secret).isEmpty)
            #expect(cluster.workerLines(with: secret).isEmpty)
        }
    }
}
