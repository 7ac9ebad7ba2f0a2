import FathomMessaging
public import FathomProtocol
import Foundation
import Glibc
import Synchronization

/// What starting runners takes, beside the runners themselves.
public struct RunnerPlace: Sendable {
    /// This program's file, and what makes it a guard: the limits and the words come behind.
    public var program: String
    public var guardArguments: @Sendable (_ folder: String, RunnerLimits) throws -> [String]
    /// Where runners' folders are made.
    public var scratch: String
    public var limits: RunnerLimits

    public init(
        program: String, scratch: String, limits: RunnerLimits,
        guardArguments: @escaping @Sendable (_ folder: String, RunnerLimits) throws -> [String]
    ) {
        self.program = program
        self.guardArguments = guardArguments
        self.scratch = scratch
        self.limits = limits
    }
}

/// A running runner, behind its guard: lines go in, lines come out, within limits.
final class RunnerProcess {
    let scratch: RunnerScratch
    private let name: String
    private let limits: RunnerLimits
    private let process: ChildProcess
    private let tail = Tail()
    private let errors: NamedThread
    private var buffer: [UInt8] = []
    /// Where in the buffer no end of a line was found yet.
    private var searched = 0
    private var outputBytes = 0
    private var input: Int32
    private var hasEnded = false
    private var isReaped = false

    init(_ command: RunnerCommand, place: RunnerPlace) throws {
        scratch = try RunnerScratch(in: place.scratch)
        name = command.name
        limits = place.limits
        let arguments = try place.guardArguments(scratch.path, limits)
        let process = try ChildProcess.spawn(place.program, arguments + ["--"] + command.words)
        self.process = process
        input = process.input
        let tail = tail
        errors = try NamedThread(name: "runner-log", stackBytes: 256 << 10) {
            let text = LogTail.read(process.errors)
            tail.text.withLock { $0 = text }
        }
    }

    /// What a thread of its own has read; empty until the end.
    private final class Tail: Sendable {
        let text = Mutex("")
        var lines: [Substring] { text.withLock { $0 }.split(separator: "\n") }
    }

    /// What it wrote last on standard error, without what its guard says; empty while it runs.
    var logTail: String {
        tail.lines.filter { !$0.hasPrefix(RunnerGuard.mark) }.joined(separator: "\n")
    }

    /// Says a line, which ends with its end.
    func say(_ line: [UInt8]) throws(RunnerFault) {
        outputBytes = 0
        guard input >= 0, FrameStream.write(line, to: input) else { throw fate() }
    }

    /// Waits for the next line.
    ///
    /// - Parameter end: When to give up at the latest.
    func next(silence: Double, until end: Instant) throws(RunnerFault) -> [UInt8] {
        let start = Instant.now()
        // One that never stops talking runs out of time too.
        guard start < end else { throw .tooSlow(seconds: limits.jobSeconds) }
        while true {
            if let line = try takeLine() { return line }
            let now = Instant.now()
            if now.seconds(since: start) > silence { throw .silent(seconds: silence) }
            if now > end { throw .tooSlow(seconds: limits.jobSeconds) }
            var request = pollfd(fd: process.output, events: Int16(POLLIN), revents: 0)
            guard poll(&request, 1, 100) > 0 else { continue }
            try fill()
        }
    }

    private func takeLine() throws(RunnerFault) -> [UInt8]? {
        guard let end = buffer[searched...].firstIndex(of: 10) else {
            searched = buffer.count
            guard buffer.count <= limits.lineBytes else {
                throw .lineTooLong(limit: limits.lineBytes)
            }
            return nil
        }
        guard end <= limits.lineBytes else { throw .lineTooLong(limit: limits.lineBytes) }
        let line = Array(buffer[..<end])
        buffer.removeFirst(end + 1)
        searched = 0
        return line
    }

    private func fill() throws(RunnerFault) {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(process.output, &chunk, chunk.count)
        if count < 0 && (errno == EINTR || errno == EAGAIN) { return }
        guard count > 0 else { throw fate() }
        outputBytes += count
        guard outputBytes <= limits.outputBytes else {
            throw .tooMuchOutput(limit: limits.outputBytes)
        }
        buffer.append(contentsOf: chunk[..<count])
    }

    /// Whether it has ended, and its guard with it.
    var isGone: Bool {
        var request = pollfd(fd: process.output, events: 0, revents: 0)
        return hasEnded || poll(&request, 1, 0) > 0 && request.revents & Int16(POLLHUP) != 0
    }

    /// How it ended, as its guard says last.
    func fate() -> RunnerFault {
        finish()
        let last = tail.lines.last { $0.hasPrefix(RunnerGuard.mark) }
        return .ended(last.map { String($0.dropFirst(RunnerGuard.mark.count)) } ?? "it ended")
    }

    /// Asks it to end, by the end of its input; ends it when it does not.
    func stop() {
        guard !hasEnded else { return }
        close(input)
        input = -1
        let end = Instant.now() + limits.graceSeconds
        while Instant.now() < end {
            var status: Int32 = 0
            isReaped = waitpid(process.processID, &status, WNOHANG) == process.processID
            if isReaped { break }
            usleep(10_000)
        }
        endAtOnce()
    }

    /// Ends it without asking.
    func endAtOnce() {
        guard !hasEnded else { return }
        if !isReaped { kill(process.processID, SIGUSR1) }
        finish()
    }

    private func finish() {
        guard !hasEnded else { return }
        hasEnded = true
        if input >= 0 { close(input) }
        input = -1
        errors.join()
        if !isReaped { _ = process.wait() }
        close(process.output)
        // The guard has removed it, if it got so far.
        try? FileManager.default.removeItem(atPath: scratch.path)
    }

    deinit { endAtOnce() }
}

extension RunnerProcess {
    /// Asks what it is.
    func introduce() throws -> RunnerOffer {
        try say(RunnerRequest.line(RunnerRequest.Hello()))
        let line = try next(
            silence: limits.silenceSeconds, until: Instant.now() + limits.jobSeconds)
        let reply = try RunnerReply(decoding: line)
        guard case .hello(var offer) = reply else {
            if case .error(let message) = reply { throw RunnerFault.reported(message) }
            throw RunnerFault.unexpected(type: reply.type, expected: "hello")
        }
        // It is asked for by the name this worker has for it.
        offer.name = name
        return offer
    }
}

/// Why a runner failed a job, with what it wrote last.
public struct RunnerFailure: Error, CustomStringConvertible, LoggedError {
    /// The name it is announced by.
    public let runner: String
    public let reason: String
    public let logTail: String

    init(runner: String, reason: String, logTail: String) {
        self.runner = runner
        self.reason = reason
        self.logTail = logTail
    }

    public var description: String { "runner \(runner): \(reason)" }
}

/// An error that has more to show than its text.
protocol LoggedError: Error {
    var logTail: String { get }
}

extension RunnerCommand {
    /// Starts the runner, asks what it is, and ends it.
    ///
    /// - Throws: `RunnerFailure`.
    public func describe(place: RunnerPlace) throws -> RunnerOffer {
        let process = try RunnerProcess(self, place: place)
        defer { process.stop() }
        do {
            return try process.introduce()
        } catch let fault as RunnerFault {
            process.endAtOnce()
            let tail = process.logTail
            throw RunnerFailure(
                runner: name, reason: "\(fault)" + (tail.isEmpty ? "" : "\n\(tail)"),
                logTail: tail)
        }
    }
}
