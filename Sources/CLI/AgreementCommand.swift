import ArgumentParser
import FathomCoordinator

/// How alike tasks are in what they make of a network's layers.
struct AgreementCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agreement",
        abstract: "Compare the SAL vectors of tasks, at the last measured epoch.",
        discussion: """
            For each pair of tasks of one model, defense and method: cosine, Pearson's r and \
            Spearman's rho over the layers both have, for every pair of seeds, with bootstrap \
            intervals over seeds. A task beside itself (other seeds) is the ceiling; \
            pearsonOfChance is what shuffled layers reach in nineteen of twenty cases. SAL is \
            never negative, so a cosine alone says little.
            """)

    @OptionGroup var options: ReadOptions

    func run() throws {
        let (reader, sweep) = try options.open()
        let result = try AgreementTable.of(sweep, in: reader).result
        guard options.format == .table else { return options.show(result) }
        let rounded = result.rows.map { row in
            row.map { value in
                guard case .real(let number) = value else { return value }
                return .real((number * 1000).rounded() / 1000)
            }
        }
        options.show(QueryResult(columns: result.columns, rows: rounded))
    }
}
