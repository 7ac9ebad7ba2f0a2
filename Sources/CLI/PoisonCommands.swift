import ArgumentParser
import FathomCoordinator
import FathomProtocol

/// Poisons and what they turned out to be.
struct PoisonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poison",
        abstract: "Look at poisons, read those made elsewhere, write ours for others.",
        subcommands: [
            PoisonInspectCommand.self, PoisonImportCommand.self, PoisonExportCommand.self,
        ])
}

/// The stored reports of poisons.
struct PoisonInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show budgets, probes and costs of the poisons of a sweep.",
        discussion: """
            One row for every line of a poison's report, of every cell and seed, or of one cell. \
            Numbers are in the units of docs/science/methods.md.
            """)

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "A cell, by the first digits of its key as other commands show them.")
    var cell: String?

    @Option(help: "The sweep, where the store holds several.")
    var sweep: String?

    @Option(help: "table, json, csv, markdown or latex.")
    var format = TableFormat.table

    func run() throws {
        let reader = try Store.openReadOnly(path: store)
        let name = SQLText.quoted(try reader.name(of: try reader.sweep(named: sweep)))
        if let cell { try check(cell, reader, sweep: name) }
        let chosen = cell.map { "AND c.label LIKE '\($0.lowercased())%'" } ?? ""
        let rows = try reader.query(Self.sql(sweep: name, chosen: chosen))
        print(format.text(of: rows), terminator: "")
        if rows.rows.isEmpty { Failure.say("no poison has a report yet") }
    }

    /// The report's lines, and how many seconds the jobs of the crafting took together, those of
    /// a network trained before left out.
    private static func sql(sweep: String, chosen: String) -> String {
        """
        WITH poison AS (
          SELECT c.position, c.id AS cellID, c.label AS cell, c.method, c.dataSet, r.seed,
            r.id AS run, x.job
          FROM sweep s JOIN cell c ON c.sweep = s.id JOIN run r ON r.cell = c.id
            JOIN runJob x ON x.run = r.id AND x.role = 'poison' AND x.position = 0
            JOIN job j ON j.id = x.job AND j.state = 'finished'
          WHERE s.name = \(sweep) AND c.hidden = 0 AND r.hidden = 0 \(chosen)
        ), line AS (
          SELECT poison.*, p.name, p.number, p.word
          FROM poison JOIN poisonReport p ON p.job = poison.job
          UNION ALL
          SELECT poison.*, 'seconds', (
            SELECT sum(a.seconds) FROM runJob y JOIN job j ON j.id = y.job AND j.kind = 'poison'
              JOIN attempt a ON a.job = j.id AND a.state = 'accepted'
            WHERE y.run = poison.run AND y.role = 'poison'), NULL
          FROM poison
        )
        SELECT cell, method, dataSet, seed, name, number, word FROM line
        ORDER BY position, cellID, seed, name
        """
    }

    /// Refuses what is no cell of the sweep.
    private func check(_ cell: String, _ reader: StoreReader, sweep: String) throws {
        guard !cell.isEmpty, cell.count <= 12, cell.allSatisfy(\.isHexDigit) else {
            throw InputError(
                description: "CELL is \(cell); it is a cell's label of up to 12 hexadecimal digits")
        }
        let found = try reader.query(
            "SELECT c.label FROM cell c JOIN sweep s ON s.id = c.sweep "
                + "WHERE s.name = \(sweep) AND c.hidden = 0 AND c.label LIKE '\(cell.lowercased())%'"
        )
        guard !found.rows.isEmpty else {
            throw InputError(
                description: "CELL is \(cell), which no cell of the sweep begins with; "
                    + "fathom status shows them")
        }
    }
}
