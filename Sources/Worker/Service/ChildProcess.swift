public import Glibc

/// Why a process could not be started.
public struct SpawnError: Error, Sendable, CustomStringConvertible {
    public let program: String
    public let reason: String

    public var description: String { "cannot start \(program): \(reason)" }
}

/// A child with pipes to its standard streams. Reaped by whoever waits for it.
public struct ChildProcess: Sendable {
    public let processID: pid_t
    /// Write to its standard input.
    public let input: Int32
    /// Read from its standard output; -1 when it shares ours.
    public let output: Int32
    /// Read from its standard error; -1 when it shares ours.
    public let errors: Int32

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - sharesOutput: Whether its output and errors go where ours go.
    ///   - environment: Variables to set beside our own.
    public static func spawn(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        sharesOutput: Bool = false
    ) throws(SpawnError) -> ChildProcess {
        // All ends close on exec, so that no child holds a sibling's pipe open.
        guard let input = Pipe(), let output = Pipe(), let errors = Pipe() else {
            throw SpawnError(program: program, reason: String(cString: strerror(errno)))
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.reader, STDIN_FILENO)
        if sharesOutput {
            posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        } else {
            posix_spawn_file_actions_adddup2(&actions, output.writer, STDOUT_FILENO)
            posix_spawn_file_actions_adddup2(&actions, errors.writer, STDERR_FILENO)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: a terminal's Ctrl-C reaches the parent alone, which then decides.
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigemptyset(&all)
        for signal in [SIGINT, SIGTERM, SIGPIPE, SIGHUP] { sigaddset(&all, signal) }
        posix_spawnattr_setsigdefault(&attributes, &all)
        let status = launch(program, arguments, environment, &actions, &attributes)
        close(input.reader)
        close(output.writer)
        close(errors.writer)
        guard status.code == 0 else {
            for end in [input.writer, output.reader, errors.reader] { close(end) }
            throw SpawnError(program: program, reason: String(cString: strerror(status.code)))
        }
        if sharesOutput {
            close(output.reader)
            close(errors.reader)
        }
        return ChildProcess(
            processID: status.processID, input: input.writer,
            output: sharesOutput ? -1 : output.reader, errors: sharesOutput ? -1 : errors.reader)
    }

    private static func launch(
        _ program: String, _ arguments: [String], _ extra: [String: String],
        _ actions: UnsafePointer<posix_spawn_file_actions_t>,
        _ attributes: UnsafePointer<posix_spawnattr_t>
    ) -> (code: Int32, processID: pid_t) {
        var variables: [String] = []
        var entry = environ
        while let variable = entry.pointee {
            let text = String(cString: variable)
            let name = text.prefix { $0 != "=" }
            if extra[String(name)] == nil { variables.append(text) }
            entry += 1
        }
        variables += extra.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup($0) } + [nil]
        defer {
            for pointer in argv + envp { free(pointer) }
        }
        var processID = pid_t()
        let code = posix_spawn(&processID, program, actions, attributes, &argv, &envp)
        return (code, processID)
    }

    /// Waits for its end and says how it ended: `nil` for status 0.
    public func wait() -> String? {
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0 {
            guard errno == EINTR else { return "it was not our child" }
        }
        let signal = status & 0x7f
        guard signal == 0 else { return "ended by \(Self.name(ofSignal: signal))" }
        let code = (status >> 8) & 0xff
        return code == 0 ? nil : "ended with status \(code)"
    }

    private static func name(ofSignal signal: Int32) -> String {
        let names: [Int32: String] = [
            SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL",
            SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE",
            SIGKILL: "SIGKILL (out of memory?)", SIGSEGV: "SIGSEGV", SIGPIPE: "SIGPIPE",
            SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}

private struct Pipe {
    let reader: Int32
    let writer: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reader = ends[0]
        writer = ends[1]
    }
}
