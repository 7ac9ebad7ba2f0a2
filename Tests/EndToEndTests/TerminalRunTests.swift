import Foundation
import Glibc
import Testing

/// A terminal of so many columns, as a program sees it.
private struct PseudoTerminal {
    private let ours: Int32
    private let theirs: Int32
    // TIOCSPTLCK and TIOCGPTN of Linux, which Swift does not see.
    private static let setLock: UInt = 0x4004_5431
    private static let number: UInt = 0x8004_5430

    init(columns: UInt16) throws {
        ours = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(ours >= 0)
        var lock: Int32 = 0
        var number: Int32 = 0
        try #require(ioctl(ours, Self.setLock, &lock) == 0)
        try #require(ioctl(ours, Self.number, &number) == 0)
        theirs = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(theirs >= 0)
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(ours, UInt(TIOCSWINSZ), &size) == 0)
    }

    /// Runs a program on it, and answers what it wrote.
    func output(of process: Process) throws -> String {
        process.standardOutput = FileHandle(fileDescriptor: theirs, closeOnDealloc: false)
        try process.run()
        close(theirs)
        defer { close(ours) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        // The end is an error here: nobody has the other side open any more.
        while true {
            let count = read(ours, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
    }
}

@Suite("Tables on a real terminal", .serialized)
struct TerminalRunTests {
    private let folder: TemporaryFolder
    private let program: FathomProgram

    init() throws {
        folder = try TemporaryFolder()
        program = try FathomProgram()
    }

    private func shown(
        _ arguments: [String], columns: UInt16, noColor: Bool = false
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program.path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        var environment = ProcessInfo.processInfo.environment
        environment["TERM"] = "xterm"
        environment["NO_COLOR"] = noColor ? "1" : nil
        environment["COLUMNS"] = nil
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return try PseudoTerminal(columns: columns).output(of: process)
    }

    private func makeStore() throws -> String {
        try TinyDataSet.write(to: folder.path + "/data/mnist", trainCount: 100, testCount: 50)
        let text = """
            version: 1
            name: shown
            data: { set: mnist, train: 50, test: 20 }
            methods: [clean, lsp]
            models: [lenet5]
            seeds: 1
            training: { epochs: 1, batch: 25, learningRate: 0.05 }
            sal: { every: 1, from: 1, images: 20, batch: 20, steps: 1 }
            compare: { threshold: released, controls: [] }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/shown.yaml"))
        let run = ["run", "shown.yaml", "--data", "data", "--slots", "1", "--db", "a.sqlite"]
        try #require(try program.run(run, in: folder.path).status == 0)
        let keys = try program.run(
            ["query", "a.sqlite", "SELECT key FROM job WHERE kind = 'sal'", "--format", "csv"],
            in: folder.path
        ).output.split(separator: "\n")
        return String(try #require(keys.last))
    }

    /// Text without escape sequences, and its widest line.
    private func plain(_ text: String) -> (text: String, columns: Int) {
        let plain = text.replacing(/\u{1B}\[[0-9;]*m/, with: "")
        return (plain, plain.split(separator: "\n").map(\.count).max() ?? 0)
    }

    @Test("status and explain fit 80 and 200 columns, with colour and without, and nothing is lost")
    func widths() throws {
        let job = try makeStore()
        let tables = [
            ["status", "a.sqlite"], ["status", "a.sqlite", "--kinds"],
            ["status", "a.sqlite", "--workers"], ["explain", "a.sqlite", job],
        ]
        for arguments in tables {
            for columns in [80, 200] as [UInt16] {
                let colored = try shown(arguments, columns: columns)
                let bare = try shown(arguments, columns: columns, noColor: true)
                #expect(colored.contains("\u{1B}[") && !bare.contains("\u{1B}"), "\(arguments)")
                #expect(plain(colored).text == bare)
                #expect(plain(bare).columns <= Int(columns), "\(arguments): \(bare)")
            }
        }
        #expect(try shown(["status", "a.sqlite"], columns: 80).contains("open\u{1B}[0m\n"))
        let told = try shown(["explain", "a.sqlite", job], columns: 80, noColor: true)
        #expect(told.contains("key     \(job)\n") && told.contains("it is finished\n"))
        let pieces = told.split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
        #expect(pieces.contains("\"solver\":\"normalized\""))
        // Without a terminal values stay in one piece, and nothing is coloured.
        for arguments in tables {
            let piped = try program.run(arguments, in: folder.path).output
            #expect(!piped.contains("\u{1B}") && !piped.contains("…"), "\(arguments): \(piped)")
        }
        let whole = try program.run(["explain", "a.sqlite", job], in: folder.path).output
        #expect(whole.contains(/spec +\{.*"solver":"normalized".*\}\n/))
    }
}
