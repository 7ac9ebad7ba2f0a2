import FathomWorker
import Foundation
import Testing

/// Runners that do what they should not. Each is a shell script that says hello and then misbehaves.
@Suite("A hostile runner", .serialized)
struct HostileRunnerTests {
    struct Conduct: CustomTestStringConvertible, Sendable {
        var name: String
        /// What it does once it has a job.
        var script: String
        var options: [String] = []
        var reason: String
        var testDescription: String { name }
    }

    private static let metrics = """
        for s in train test; do for n in loss accuracy; do
        echo '{"type":"metric","epoch":1,"split":"'$s'","name":"'$n'","value":0.5}'
        done; done
        """

    static let conducts: [Conduct] = [
        Conduct(
            name: "talks garbage", script: "echo 'loss: 0.5'", reason: "is no JSON object"),
        Conduct(name: "dies", script: "kill -9 $$", reason: "it was ended by signal 9"),
        Conduct(name: "leaves", script: "exit 3", reason: "it ended with status 3"),
        Conduct(
            name: "hangs", script: "sleep 1000", options: ["--runner-silence", "0.5"],
            reason: "it said nothing for 0.5 s"),
        Conduct(
            name: "talks for ever",
            script: "while echo '{\"type\":\"progress\",\"share\":0}'; do sleep 0.05; done",
            options: ["--runner-time", "1"], reason: "it worked longer than 1.0 s"),
        Conduct(
            name: "writes a gibibyte without an end of line",
            script: "head -c 1073741824 /dev/zero | tr '\\0' 'a'",
            reason: "a line of more than 8388608 bytes"),
        Conduct(
            name: "writes a gibibyte of lines",
            script: "x=$(head -c 8000000 /dev/zero | tr '\\0' ' '); for i in $(seq 135); do "
                + #"echo '{"type":"progress","share":0'"$x}"; done"#,
            reason: "it said more than 268435456 bytes of one job"),
        Conduct(
            name: "writes a gibibyte to people, and leaves",
            script: "head -c 1073741824 /dev/zero >&2; exit 3", reason: "it ended with status 3"),
        Conduct(
            name: "fills its folder",
            script: "for i in 1 2 3 4 5 6; do head -c 4000000 /dev/zero > $i; done; sleep 1000",
            options: ["--runner-disk", "8M"], reason: "its folder held"),
        Conduct(
            name: "starts ever more processes",
            script: "b() { [ $1 -lt 9 ] && { b $(($1 + 1)) & b $(($1 + 1)) & }; sleep 1000; }\nb 0",
            options: ["--runner-processes", "20"], reason: "20 are allowed"),
        Conduct(
            name: "leaves a process behind",
            script: "setsid sh -c 'sleep 1000; : '$0 & exit 4", reason: "it ended with status 4"),
        Conduct(
            name: "hands over a file that is elsewhere",
            script: metrics + """

                echo '{"type":"artifact","name":"checkpoint","path":"../../../a.sqlite"}'
                echo '{"type":"done"}'
                """, reason: "lies outside of the job's folder"),
        Conduct(
            name: "hands over a file of the system",
            script: metrics + """

                echo '{"type":"artifact","name":"checkpoint","path":"/etc/passwd"}'
                echo '{"type":"done"}'
                """, reason: "lies outside of the job's folder"),
        Conduct(
            name: "hands over a link that leads elsewhere",
            script: metrics + """

                ln -s /etc/passwd job/last
                echo '{"type":"artifact","name":"checkpoint","path":"last"}'
                echo '{"type":"done"}'
                """, reason: "lies outside of the job's folder"),
        Conduct(
            name: "hands over what is no checkpoint",
            script: metrics + """

                echo hello > job/last
                echo '{"type":"artifact","name":"checkpoint","path":"last"}'
                echo '{"type":"done"}'
                """, reason: "is no safetensors file"),
        Conduct(
            name: "is done too early", script: "echo '{\"type\":\"done\"}'",
            reason: "done without train loss of epoch 1"),
        Conduct(
            name: "tells of another epoch",
            script: #"echo '{"type":"metric","epoch":7,"split":"train","name":"loss"}'"#,
            reason: "its metric has epoch 7"),
    ]

    private static let sweep = """
        version: 1
        name: bad
        data: { set: rooms10, train: 20, test: 10 }
        methods: [clean]
        models: [{ name: "own:net", layers: 1, runner: bad }]
        seeds: 1
        training: { epochs: 1, batch: 20 }
        sal: { every: 1, from: 1, images: 10, batch: 10 }
        compare: { threshold: released }
        """

    @Test("fails its attempts with the reason, and nothing of it is left", arguments: conducts)
    func conduct(_ conduct: Conduct) throws {
        try expectFailure(conduct, in: try TemporaryFolder())
    }

    @Test(
        "cannot write outside of its folder, unless it is allowed to",
        .enabled(if: RunnerGuard.canLimitWrites, "this kernel has no Landlock"))
    func outside() throws {
        let folder = try TemporaryFolder()
        let made = folder.path + "/made"
        var conduct = Conduct(
            name: "writes elsewhere", script: "echo x > ../../made || exit 2; exit 5",
            reason: "it ended with status 2; permission was denied: a runner writes in its own "
                + "folder only (--runner-writes)")
        try expectFailure(conduct, in: folder)
        #expect(!FileManager.default.fileExists(atPath: made))
        conduct.reason = "it ended with status 5"
        conduct.options = ["--runner-writes", "."]
        try expectFailure(conduct, in: folder, store: "b.sqlite")
        #expect(FileManager.default.fileExists(atPath: made))
    }

    private func expectFailure(
        _ conduct: Conduct, in folder: TemporaryFolder, store: String = "a.sqlite"
    ) throws {
        let program = try FathomProgram()
        let hello =
            "{\"type\":\"hello\",\"protocol\":1,\"runner\":\"bad\",\"revision\":1,"
            + "\"device\":\"cpu\",\"kinds\":[\"train\",\"sal\"],\"deterministic\":true}"
        let script = "#!/bin/sh\nread line\necho '\(hello)'\nread line || exit 0\n"
        let path = folder.path + "/bad.sh"
        try Data((script + conduct.script + "\nread line\n").utf8)
            .write(to: URL(fileURLWithPath: path))
        try Data(Self.sweep.utf8).write(to: URL(fileURLWithPath: folder.path + "/bad.yaml"))
        let scratch = folder.path + "/scratch"
        let run = try program.runWithErrors(
            [
                "run", "bad.yaml", "--db", store, "--slots", "1", "--runner",
                "bad=/bin/sh \(path)", "--runner-scratch", scratch,
            ] + conduct.options, in: folder.path)
        #expect(run.status == 1, "\(run.errors)")
        let why = try program.run(
            ["query", store, "SELECT state, error FROM attempt", "--format", "json"],
            in: folder.path
        ).output
        #expect(why.contains("runner bad: "), "\(why)")
        #expect(why.contains(conduct.reason), "\(why)")
        #expect(why.components(separatedBy: "\"error\"").count >= 4, "\(why)")
        #expect(eventually(within: 10) { Processes.mentioning(path).isEmpty })
        let isEmpty = eventually(within: 5) {
            (try? FileManager.default.contentsOfDirectory(atPath: scratch)) == []
        }
        #expect(isEmpty, "\(scratch) holds something")
    }

    @Test("that says no hello is refused before the sweep begins")
    func noHello() throws {
        let folder = try TemporaryFolder()
        try Data(Self.sweep.utf8).write(to: URL(fileURLWithPath: folder.path + "/bad.yaml"))
        let run = try FathomProgram().runWithErrors(
            ["run", "bad.yaml", "--db", "a.sqlite", "--runner", "bad=/bin/echo what is this"],
            in: folder.path)
        #expect(run.status == 2)
        #expect(run.errors.contains("--runner cannot be used: runner bad: it said a line"))
    }
}
