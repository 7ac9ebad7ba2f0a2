import Foundation
import Synchronization

/// Runs a command of the system and reads what it says, within bounds.
public struct CommandRunner: Sendable {
    private let secondsMax: Double
    private static let bytesMax = 8 << 20

    public init(secondsMax: Double = 60) { self.secondsMax = secondsMax }

    /// - Returns: The command's standard output, without white space around it.
    /// - Throws: When it is not found, fails, or does not answer in time; with the end of what it
    ///   wrote to standard error.
    public func callAsFunction(
        _ command: String, _ arguments: [String]
    ) throws(BatchSystemError) -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [command] + arguments
        let output = Pipe()
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        let end = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in end.signal() }
        do { try process.run() } catch {
            throw BatchSystemError(command: command, message: "\(error)")
        }
        let said = Self.collect(output.fileHandleForReading)
        let complaint = Self.collect(errors.fileHandleForReading)
        guard end.wait(timeout: .now() + secondsMax) == .success else {
            process.terminate()
            throw BatchSystemError(
                command: command, message: "no answer within \(Int(secondsMax)) s")
        }
        let text = said().trimmingCharacters(in: .whitespacesAndNewlines)
        guard process.terminationStatus == 0 else {
            let lines = complaint().split(whereSeparator: \.isNewline).suffix(3)
            throw BatchSystemError(
                command: command,
                message: lines.isEmpty
                    ? "exit status \(process.terminationStatus)" : lines.joined(separator: "; "))
        }
        return text
    }

    /// Reads a pipe to its end on another thread, so that a full pipe stops nobody.
    private static func collect(_ handle: FileHandle) -> () -> String {
        let collected = Collected()
        DispatchQueue.global().async {
            var bytes = Data()
            while case let part = handle.availableData, !part.isEmpty {
                if bytes.count < bytesMax { bytes.append(part) }
            }
            collected.text.withLock { $0 = String(decoding: bytes, as: UTF8.self) }
            collected.isRead.signal()
        }
        return {
            _ = collected.isRead.wait(timeout: .now() + 5)
            return collected.text.withLock { $0 }
        }
    }

    private final class Collected: Sendable {
        let text = Mutex("")
        let isRead = DispatchSemaphore(value: 0)
    }
}
