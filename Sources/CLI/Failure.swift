import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomMessaging
import FathomProtocol
import FathomWorker
import Foundation
import Glibc

/// Turns an error into one clear line and an exit status.
enum Failure {
    static func leave(with error: any Error) -> Never {
        if let code = error as? ExitCode { exit(code.rawValue) }
        if let status = status(of: error) {
            say("fathom: \(error)")
            exit(status.rawValue)
        }
        let message = Fathom.fullMessage(for: error)
        // What was asked for (help, version) is data; a complaint is not.
        if Fathom.exitCode(for: error) == .success {
            print(message)
            exit(0)
        }
        say(message)
        exit(ExitStatus.usage.rawValue)
    }

    /// The status of errors of our own; `nil` for those of the argument parser.
    private static func status(of error: any Error) -> ExitCode? {
        switch error {
        case is ManifestError, is PlanError, is DataError, is ExternalError, is InputError,
            is CurveKeyError, is SteeringTarget.NotFound, is AllowListError,
            is RunnerCommandError:
            ExitStatus.usage
        case let error as StoreError where error.isWrongRequest: ExitStatus.usage
        case is ControlClient.Refusal, is StoreError, is MessagingError, is SpawnError, is RunError:
            ExitStatus.cannotGoOn
        case is ValidationError, is CleanExit: nil
        default: Fathom.exitCode(for: error) == .success ? nil : ownStatus(of: error)
        }
    }

    private static func ownStatus(of error: any Error) -> ExitCode? {
        String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
            ? nil : ExitStatus.cannotGoOn
    }

    static func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}

/// Input that a user typed or a file that they named and that cannot be used.
struct InputError: Error, CustomStringConvertible {
    let description: String
}

/// Why a run could not go on.
struct RunError: Error, CustomStringConvertible {
    let description: String
}
