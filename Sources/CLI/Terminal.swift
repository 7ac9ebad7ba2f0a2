public import ArgumentParser
import FathomCoordinator
import Foundation
import Glibc

extension ColorChoice: ExpressibleByArgument {}

/// Asks what the streams of this process are; `TerminalStyle` decides what follows.
enum Terminal {
    static func facts(of descriptor: Int32) -> TerminalFacts {
        let environment = ProcessInfo.processInfo.environment
        var size = winsize()
        let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return TerminalFacts(
            isTerminal: isatty(descriptor) == 1, columns: isKnown ? Int(size.ws_col) : nil,
            noColor: environment["NO_COLOR"], kind: environment["TERM"],
            columnsWanted: environment["COLUMNS"])
    }

    /// How standard output is written to.
    static func output(color: ColorChoice = .auto) -> TerminalStyle {
        TerminalStyle(facts(of: STDOUT_FILENO), color: color)
    }
}
