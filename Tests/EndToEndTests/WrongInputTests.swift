import Foundation
import Testing

/// What cannot work ends with one clear line and a status, and nothing is damaged.
@Suite("Wrong input")
struct WrongInputTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
    }

    private var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    /// Runs it and answers its status and its complaint, which must be one line.
    private func complaint(_ arguments: [String]) throws -> (status: Int32, line: String) {
        let (status, output, errors) = try program.runWithErrors(arguments, in: folder.path)
        #expect(output == "")
        let lines = errors.split(separator: "\n")
        #expect(lines.count == 1, "\(errors)")
        return (status, String(lines.first ?? ""))
    }

    @Test("a wrong sweep file starts and writes nothing, with status 2")
    func manifest() throws {
        try write(
            """
            version: 1
            name: wrong
            data: { set: fashion-mnist, train: 1000, test: 100 }
            methods: [clean]
            tasks: [cls]
            models: [lenet5]
            seeds: 1
            training: { epochs: 2, learningRat: 0.1 }
            """, to: "wrong.yaml")
        let before = try files
        let (status, line) = try complaint(["run", "wrong.yaml"])
        #expect(status == 2)
        #expect(line.contains("wrong.yaml:8") && line.contains("learningRate"), "\(line)")
        #expect(try files == before)
    }

    @Test("a file of a data set that was cut off is refused with status 2")
    func cutData() throws {
        let data = folder.path + "/data/fashion-mnist"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let header: [UInt8] = [0, 0, 8, 3, 0, 0, 0xEA, 0x60, 0, 0, 0, 28, 0, 0, 0, 28]
        for name in ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"] {
            let bytes = header + [UInt8](repeating: 7, count: 1_000)
            try Data(bytes).write(to: URL(fileURLWithPath: data + "/" + name))
        }
        for name in ["train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"] {
            try Data([0, 0, 8, 1, 0, 0, 0xEA, 0x60, 1, 2, 3])
                .write(to: URL(fileURLWithPath: data + "/" + name))
        }
        try write(
            """
            version: 1
            name: cut
            data: { set: fashion-mnist, train: 1000, test: 100 }
            methods: [clean]
            tasks: [cls]
            models: [lenet5]
            seeds: 1
            """, to: "cut.yaml")
        for place in ["data", "data/fashion-mnist"] {
            let (status, line) = try complaint(["run", "cut.yaml", "--data", place])
            #expect(status == 2)
            #expect(line.contains("idx"), "\(line)")
        }
        #expect(try files == ["cut.yaml", "data"])
    }

    @Test(
        "what a store is asked for and cannot mean is told with status 2",
        arguments: [
            ["query", "a.sqlite", "DELETE FROM job"], ["query", "a.sqlite", "SELECT nothing"],
            ["query", "a.sqlite", "SELECT 1; SELECT 2"],
            ["leaderboard", "a.sqlite", "--sweep", "other"],
        ])
    func wrongQuestion(words: [String]) throws {
        let probes = ["probes", "--count", "1", "--db", "a.sqlite"]
        #expect(try program.run(probes, in: folder.path).status == 0)
        let (status, line) = try complaint(words)
        #expect(status == 2, "\(line)")
        #expect(try program.run(probes, in: folder.path).status == 0)
    }

    @Test("a file that is no store of ours stays as it is, with status 3")
    func foreignStore() throws {
        try write("not a database, but long enough to be looked at", to: "foreign.sqlite")
        let (status, line) = try complaint(["probes", "--count", "1", "--db", "foreign.sqlite"])
        #expect(status == 3)
        #expect(line.contains("foreign.sqlite"), "\(line)")
        #expect(try files == ["foreign.sqlite"])
        #expect(
            FileManager.default.contents(atPath: folder.path + "/foreign.sqlite")
                == Data("not a database, but long enough to be looked at".utf8))
    }

    @Test("a port in use is named, with status 3, and the store stays usable")
    func usedPort() throws {
        let holder = try #require(Listening())
        let endpoint = "tcp://127.0.0.1:\(holder.port)"
        let (status, line) = try complaint(
            ["probes", "--count", "1", "--db", "a.sqlite", "--listen", endpoint])
        #expect(status == 3)
        #expect(line.contains("\(holder.port)"), "\(line)")
        let again = try program.run(
            ["probes", "--count", "1", "--db", "a.sqlite"], in: folder.path)
        #expect(again.status == 0)
    }

    @Test("a store that cannot be made is named, with status 3", arguments: ["file", "missing"])
    func unwritableFolder(kind: String) throws {
        // Tests may run as root, whom permissions do not stop; a file in a folder's place does.
        try write("", to: "file")
        let (status, line) = try complaint(["probes", "--count", "1", "--db", "\(kind)/a.sqlite"])
        #expect(status == 3)
        #expect(line.contains("\(kind)/a.sqlite"), "\(line)")
        #expect(try files == ["file"])
    }

    @Test("a store in use is refused with status 3 while its run goes on")
    func storeInUse() throws {
        let run = try program.start(
            ["probes", "--count", "0", "--hang", "1", "--slots", "1", "--db", "a.sqlite"],
            in: folder.path)
        defer { kill(run.processIdentifier, SIGKILL) }
        _ = eventually(within: 20) { !Processes.children(of: run.processIdentifier).isEmpty }
        let (status, line) = try complaint(["probes", "--count", "1", "--db", "a.sqlite"])
        #expect(status == 3)
        #expect(line.contains("\(run.processIdentifier)"), "\(line)")
        #expect(run.isRunning)
    }
}

/// A TCP port that is taken for as long as this lives.
private final class Listening {
    let port: UInt16
    private let descriptor: Int32

    init?() {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard isBound else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }
}
