import ArgumentParser
import Foundation
import Glibc

/// The one program: each command parses, calls one function and prints.
struct Fathom: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fathom",
        abstract: "Measures how far a data set is from being unlearnable.",
        discussion: """
            A sweep file names methods, tasks, models and seeds; `fathom run SWEEP.yaml` computes \
            what it needs on this machine and prints the leaderboard. Interrupted, it goes on \
            where it was when run again.

            Exit status: 0 done, 1 finished with failed or blocked jobs, 2 wrong usage or input, \
            3 cannot go on (store, network), 130 interrupted.
            """,
        version: Product.version,
        subcommands: [
            RunCommand.self, CoordinatorCommand.self, WorkerCommand.self, SubmitCommand.self,
            PlanCommand.self,
            StatusCommand.self, ExplainCommand.self, LeaderboardCommand.self, QueryCommand.self,
            RetryCommand.self, CancelCommand.self, PauseCommand.self, ResumeCommand.self,
            ForgetCommand.self, ExportCommand.self, ReportCommand.self, DashboardCommand.self,
            VerifyCommand.self,
            AgreementCommand.self, SensitivityCommand.self, SALCommand.self, ImportSALCommand.self,
            PoisonCommand.self,
            DataCommand.self, BackupCommand.self, DoctorCommand.self, BenchCommand.self,
            KeysCommand.self,
            // Not shown: what other commands start, and tests.
            AgentCommand.self, SlotCommand.self, RunnerGuardCommand.self, ProbesCommand.self,
        ])
}

/// What this program is called and which version it is.
enum Product {
    static let version = "0.1.0"
}

/// The program's exit statuses, as its help lists them.
enum ExitStatus {
    static let unfinishedJobs = ExitCode(1)
    static let usage = ExitCode(2)
    static let cannotGoOn = ExitCode(3)
    static let interrupted = ExitCode(130)
}

@main
enum Main {
    static func main() {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try Fathom.parseAsRoot()
            try command.run()
        } catch {
            Failure.leave(with: error)
        }
    }
}
