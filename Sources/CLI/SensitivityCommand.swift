import ArgumentParser
import FathomCoordinator

/// How far UD depends on choices.
struct SensitivityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sensitivity",
        abstract: "Show how far UD and its ranks depend on threshold, counts, epochs and walks.",
        discussion: """
            Everything is worked out from the stored rows; nothing is measured again. Settings of \
            which the grid has several (such as sal.radius or sal.images) are compared as well.
            """)

    @OptionGroup var options: ReadOptions

    @Flag(help: "One row a method, with its UD under each choice.")
    var byMethod = false

    func run() throws {
        let (reader, sweep) = try options.open()
        let sensitivity = Sensitivity(
            cells: try reader.scoredCells(of: sweep),
            comparison: try reader.comparison(of: sweep),
            shorter: try lengths(upTo: try reader.walkLength(of: sweep)).map { steps in
                (steps, try reader.scoredCells(of: sweep, walkLength: steps))
            })
        if byMethod || options.format != .table {
            options.show(byMethod ? sensitivity.byMethod : sensitivity.result)
        } else {
            print(sensitivity.text(style: options.style), terminator: "")
        }
    }

    /// Half, a quarter, and so on down to one step.
    private func lengths(upTo longest: Int) -> [Int] {
        var lengths: [Int] = []
        var length = longest / 2
        while length >= 1 {
            lengths.append(length)
            length /= 2
        }
        return lengths
    }
}
