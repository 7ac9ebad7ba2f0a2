import CProcess
import FathomProtocol
import Foundation
import Glibc
import Synchronization

/// Starts a runner and watches over it and all processes it starts, in a process of its own that
/// outlives the slot: so that nothing of a runner is left when its slot is gone, however it went.
///
/// It is no wall against a hostile program of the same user; it keeps mistakes within bounds. Where
/// the kernel can, it keeps the runner from writing outside of its folder.
public struct RunnerGuard: Sendable {
    private let words: [String]
    private let folder: String
    private let limits: RunnerLimits

    /// - Parameters:
    ///   - words: The program and its arguments.
    ///   - folder: What it works in, and what is removed when it has ended.
    public init(words: [String], folder: String, limits: RunnerLimits) {
        self.words = words
        self.folder = folder
        self.limits = limits
    }

    /// What its last words on standard error begin with.
    static let mark = "fathom-guard: "

    /// Works until the runner has ended, and nothing it started is left.
    public func run() -> Int32 {
        fathom_adopt_orphans()
        // A batch system that tells all processes to end means the agent, which has its grace.
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
        signal(SIGUSR1) { _ in isAskedToEnd.store(true, ordering: .relaxed) }
        guard chdir(folder) == 0, let child = start() else {
            say("cannot start \(words.first ?? ""): \(String(cString: strerror(errno)))")
            return 127
        }
        var status: Int32?
        let reason = watch(child, &status)
        endAll()
        // First, because the last words end us where nobody hears them any more.
        try? FileManager.default.removeItem(atPath: folder)
        say(reason ?? Self.text(ofStatus: status ?? 0))
        return reason == nil ? 0 : 1
    }

    /// Waits for the runner's end, or for a reason to end it.
    private func watch(_ child: pid_t, _ status: inout Int32?) -> String? {
        var hungUpFor = 0.0
        var lookedAt = 0.0
        var tasks = Self.tasksOfMachine()
        while status == nil {
            usleep(20_000)
            status = reap(child)
            if isAskedToEnd.load(ordering: .relaxed) { return "it was asked to end" }
            if Self.inputHasEnded() {
                hungUpFor += 0.02
                if hungUpFor > limits.graceSeconds { return "its slot is gone, or wants no more" }
            }
            // Looking at every process costs something, so it is done when there are many new ones.
            lookedAt += 0.02
            let now = Self.tasksOfMachine()
            guard lookedAt >= 0.5 || now > tasks + 16 else { continue }
            (lookedAt, tasks) = (0, now)
            if let reason = excess() { return reason }
        }
        return nil
    }

    /// Whether nobody can say anything to the runner any more: its input is ours too.
    private static func inputHasEnded() -> Bool {
        var request = pollfd(fd: STDIN_FILENO, events: 0, revents: 0)
        return poll(&request, 1, 0) > 0 && request.revents & Int16(POLLHUP | POLLERR) != 0
    }

    /// How many threads and processes there are.
    private static func tasksOfMachine() -> Int {
        let text = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        let fields = text.split(separator: " ")
        return fields.count > 3 ? Int(fields[3].split(separator: "/").last ?? "") ?? 0 : 0
    }

    private func say(_ text: String) {
        FileHandle.standardError.write(Data("\n\(Self.mark)\(text)\n".utf8))
    }

    private static func text(ofStatus status: Int32) -> String {
        let signal = status & 0x7f
        return signal == 0
            ? "it ended with status \((status >> 8) & 0xff)" : "it was ended by signal \(signal)"
    }

    private func start() -> pid_t? {
        setenv("TMPDIR", folder + "/tmp", 1)
        setenv("PYTHONDONTWRITEBYTECODE", "1", 1)
        let writable = limits.writesAnywhere ? [] : [folder] + limits.writable
        let child = Self.withCStrings(words) { words in
            Self.withCStrings(writable) { folders in
                fathom_spawn_limited(
                    words, writable.isEmpty ? nil : folders, Int64(limits.diskBytes),
                    limits.memoryBytes.map { Int64($0) } ?? -1)
            }
        }
        return child > 0 ? child : nil
    }

    /// Lends texts as C has them, ended by a null pointer.
    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = texts.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }

    /// Whether this kernel can keep runners from writing outside of their folders.
    public static var canLimitWrites: Bool { fathom_can_limit_writes() != 0 }

    /// Takes in those that have ended; answers the child's status when it is among them.
    private func reap(_ child: pid_t) -> Int32? {
        var found: Int32?
        var status: Int32 = 0
        while true {
            let process = waitpid(-1, &status, WNOHANG)
            guard process > 0 else { return found }
            if process == child { found = status }
        }
    }

    /// What it takes more of than it may; `nil`: nothing.
    private func excess() -> String? {
        let family = ProcessFamily.descendants(of: getpid())
        if family.count > limits.processes {
            return "it had \(family.count) processes; \(limits.processes) are allowed"
        }
        if let most = limits.memoryBytes {
            let used = family.reduce(0) { $0 + $1.residentBytes }
            if used > most { return "it used \(used) bytes of memory; \(most) are allowed" }
        }
        let stored = Self.bytes(in: folder, atMost: limits.diskBytes)
        return stored > limits.diskBytes
            ? "its folder held \(stored) bytes; \(limits.diskBytes) are allowed" : nil
    }

    /// What the files of a folder take; stops counting beyond `limit`.
    private static func bytes(in folder: String, atMost limit: Int) -> Int {
        guard let files = FileManager.default.enumerator(atPath: folder) else { return 0 }
        var sum = 0
        for case let name as String in files {
            var facts = stat()
            if lstat(folder + "/" + name, &facts) == 0 { sum += Int(facts.st_blocks) * 512 }
            if sum > limit { break }
        }
        return sum
    }

    /// Ends all descendants: stopped first, so that none starts another while others end.
    private func endAll() {
        for _ in 0..<1_000 {
            let family = ProcessFamily.descendants(of: getpid())
            for member in family { kill(member.process, SIGSTOP) }
            for member in family { kill(member.process, SIGKILL) }
            var status: Int32 = 0
            while waitpid(-1, &status, WNOHANG) > 0 {}
            if family.isEmpty { return }
            usleep(2_000)
        }
    }
}

/// Whether somebody asked the guard to end the runner at once.
private let isAskedToEnd = Atomic(false)

/// Processes, as `/proc` shows them.
enum ProcessFamily {
    struct Member {
        var process: pid_t
        var residentBytes: Int
    }

    /// All living descendants of a process.
    static func descendants(of root: pid_t) -> [Member] {
        var children: [pid_t: [Member]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let process = pid_t(name), let (parent, member) = look(at: process) else {
                continue
            }
            children[parent, default: []].append(member)
        }
        var found: [Member] = []
        var open = [root]
        while let next = open.popLast() {
            let members = children.removeValue(forKey: next) ?? []
            found += members
            open += members.map(\.process)
        }
        return found
    }

    private static func look(at process: pid_t) -> (parent: pid_t, Member)? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 21, fields[0] != "Z", let parent = pid_t(fields[1]) else {
            return nil
        }
        let pages = Int(fields[21]) ?? 0
        return (parent, Member(process: process, residentBytes: max(0, pages) * pageBytes))
    }

    private static let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))
}
