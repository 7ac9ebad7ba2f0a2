import FathomCore
import FathomProtocol
import FathomWorker
import Foundation
import TestSupport
import Testing

/// What users write of runners, and what runners say.
@Suite("Talking with runners")
struct RunnerTalkTests {
    @Test(
        "a command is split as a shell would, and nothing is expanded",
        arguments: [
            ("a=/bin/echo b  c", ["/bin/echo", "b", "c"]),
            ("a=/bin/echo 'b c' \"d e\"f", ["/bin/echo", "b c", "d ef"]),
            (#"a=/bin/echo b\ c '\' $HOME *"#, ["/bin/echo", "b c", #"\"#, "$HOME", "*"]),
            ("a=/bin/echo ''", ["/bin/echo", ""]),
        ])
    func words(argument: String, expected: [String]) throws {
        let command = try RunnerCommand(argument: argument, folder: "/")
        #expect(command.name == "a" && command.words == expected)
    }

    @Test("a program is found in PATH, and files beside the user are meant by their whole path")
    func paths() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder + "/mine", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["/mine/runner.py", "/runner.py", "/sh"] {
            try Data().write(to: URL(fileURLWithPath: folder + name))
        }
        let command = try RunnerCommand(
            argument: "a=sh runner.py mine mine/runner.py other/runner.py", folder: folder)
        #expect(command.words[0].hasPrefix("/") && !command.words[0].hasPrefix(folder))
        #expect(command.words[0].hasSuffix("/sh"))
        #expect(
            Array(command.words[1...])
                == [folder + "/runner.py", "mine", folder + "/mine/runner.py", "other/runner.py"])
    }

    @Test(
        "what is no command is refused with what would be right",
        arguments: [
            ("torch", "takes NAME=COMMAND"), ("torch=", "takes NAME=COMMAND"),
            ("a b=/bin/sh", "1 to 32 letters"), ("a=/bin/sh 'b", "is not closed"),
            ("a=no-such-program-anywhere", "no program in PATH"),
        ])
    func refused(argument: String, right: String) {
        #expect {
            try RunnerCommand(argument: argument, folder: "/")
        } throws: { "\($0)".contains(right) }
    }

    private static let lines = [
        #"{"type":"hello","protocol":1,"runner":"torch","revision":2,"device":"cuda","#
            + #""deterministic":false,"tolerance":0.001,"kinds":["train","sal"]}"#,
        #"{"type":"progress","share":0.25}"#,
        #"{"type":"metric","epoch":1,"split":"train","name":"loss","value":null}"#,
        #"{"type":"artifact","name":"checkpoint","path":"last.safetensors"}"#,
        #"{"type":"sal","layerIndex":0,"layer":"conv1","weightCount":150,"weightNorm":1.7,"#
            + #""originLoss":0.41,"originAccuracy":0.86,"forwardEquivalents":12.5,"down":{"#
            + #""losses":[0.3],"accuracies":[0.9],"radii":[0.05],"reachedAt":1},"up":{"#
            + #""losses":[],"accuracies":[],"radii":[],"diverged":true}}"#,
        #"{"type":"error","message":"out of memory"}"#, #"{"type":"done"}"#,
    ]

    @Test("every line of the documentation is understood", arguments: lines)
    func understood(line: String) throws {
        _ = try RunnerReply(decoding: Array(line.utf8))
    }

    @Test("whatever a runner says is understood or refused in words", arguments: 0..<4)
    func fuzz(seed: UInt64) {
        var fuzzer = FrameFuzzer(real: Self.lines.map { Array($0.utf8) }, seed: seed)
        var (understood, refused) = (0, 0)
        for _ in 0..<3_000 {
            do throws(RunnerFault) {
                _ = try RunnerReply(decoding: fuzzer.next())
                understood += 1
            } catch {
                #expect(!error.description.isEmpty)
                refused += 1
            }
        }
        #expect(understood > 50 && refused > 500, "\(understood) and \(refused)")
    }
}
