import Foundation

/// The built program, found beside the test bundle.
struct FathomProgram {
    let path: String

    init() throws {
        // The test bundle is this process's file or an argument of it, wherever tests are built.
        let candidates =
            CommandLine.arguments + [
                try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            ]
        let folders = candidates.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        let found = folders.map { $0 + "/fathom" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        guard let found else { throw NotFound(folders: folders) }
        path = found
    }

    struct NotFound: Error {
        let folders: [String]
    }

    /// Starts it in a folder, its output thrown away.
    ///
    /// - Parameters:
    ///   - log: The file that what it says on standard error is added to.
    ///   - prefix: A command, by its full path, that runs it, such as `ip netns exec`.
    func start(
        _ arguments: [String], in folder: String, log: String? = nil, prefix: [String] = []
    ) throws -> Process {
        let words = prefix + [path] + arguments
        let process = Process()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try log.map { try Self.appending(to: $0) } ?? .nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    private static func appending(to path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) {
            try Data().write(to: URL(fileURLWithPath: path))
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        return handle
    }

    /// Runs it to its end and answers its status and what it printed.
    func run(_ arguments: [String], in folder: String) throws -> (status: Int32, output: String) {
        let (status, output, _) = try runWithErrors(arguments, in: folder)
        return (status, output)
    }

    /// The same with what it said on standard error.
    func runWithErrors(
        _ arguments: [String], in folder: String
    ) throws -> (status: Int32, output: String, errors: String) {
        // A file takes any amount, so that nobody waits for a full pipe.
        let log = NSTemporaryDirectory() + "fathom-" + UUID().uuidString + ".log"
        try Data().write(to: URL(fileURLWithPath: log))
        defer { try? FileManager.default.removeItem(atPath: log) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let errors = try String(contentsOfFile: log, encoding: .utf8)
        return (process.terminationStatus, String(decoding: data, as: UTF8.self), errors)
    }
}

/// Looks at processes through `/proc`.
enum Processes {
    /// The living children of a process.
    static func children(of parent: Int32) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { parentOf($0) == parent }.sorted()
    }

    static func isAlive(_ process: Int32) -> Bool { parentOf(process) != nil }

    /// Its words, each ended by a zero byte; empty for a process that is gone.
    static func commandLine(of process: Int32) -> String {
        let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        return String(decoding: line, as: UTF8.self)
    }

    /// Living processes that have a text in their command line.
    static func mentioning(_ text: String) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { process in
            process != getpid() && commandLine(of: process).contains(text) && isAlive(process)
        }
    }

    /// Whether its main function has begun, which starts threads before it works.
    static func hasSeveralThreads(_ process: Int32) -> Bool {
        let tasks = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
        return (tasks ?? []).count > 1
    }

    /// The parent of a process that lives; `nil` for one that is gone or waits to be reaped.
    private static func parentOf(_ process: Int32) -> Int32? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 1, fields[0] != "Z" else { return nil }
        return Int32(fields[1])
    }
}

/// A folder of its own for one test, removed with it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "fathom-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Asks again and again until a condition holds, for at most so many seconds.
func eventually(within seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = Date(timeIntervalSinceNow: seconds)
    while Date() < end {
        if try condition() { return true }
        usleep(20_000)
    }
    return try condition()
}
