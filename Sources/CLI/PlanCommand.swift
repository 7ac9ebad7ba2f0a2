import ArgumentParser
import FathomCoordinator
import FathomCore
import FathomProtocol
import Foundation

/// Shows what a sweep would compute; nothing runs.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what a sweep would compute, and what it would cost.",
        discussion: """
            Costs are those that jobs of the same kind and network had in the store given with \
            --costs; without one they are worked out from multiply-adds, and crafting, which \
            follows no simple rule, is left out. Hours of runners are counted apart: by measured \
            costs, carried over by multiply-adds to networks that were not measured.

            --cluster plays the whole sweep with the real scheduler on a simulated clock: how \
            long, how busy, and where more nodes no longer help.
            """)

    @Argument(help: "The sweep file.")
    var sweep: String

    @Option(help: "Where data sets lie; by default the usual places.")
    var data: String?

    @Flag(help: "Print the manifest with every default filled in, as JSON.")
    var showDefaults = false

    @Option(help: "A store with measured costs, of this sweep or another.")
    var costs: String?

    @Option(help: "Simulate a cluster, such as nodes=1000,cores=64.")
    var cluster: ClusterSize?

    func run() throws {
        let plan = try Engine.plan(sweep, dataFolder: data)
        guard !showDefaults else {
            print(plan.manifest)
            return
        }
        print(PlanSummary(plan).text, terminator: "")
        let networks = NetworkCosts(dataFolder: data)
        let measured = try costs.map {
            try StoreReader(path: $0).costs(trainImages: networks.trainImages)
        }
        let estimate = PlanEstimate(plan, costs: measured, networks: networks)
        print(estimate.text)
        if let cluster {
            print(ForecastTable.rows(estimate, upTo: cluster).joined(separator: "\n"))
        }
    }
}

/// How many machines, as a user writes it.
struct ClusterSize: ExpressibleByArgument {
    var nodes: Int
    var cores: Int

    init?(argument: String) {
        var values: [Substring: Int] = [:]
        for part in argument.split(separator: ",") {
            let pair = part.split(separator: "=")
            guard pair.count == 2, let value = Int(pair[1]), values[pair[0]] == nil else {
                return nil
            }
            values[pair[0]] = value
        }
        guard let nodes = values["nodes"], let cores = values["cores"], values.count == 2,
            (1...100_000).contains(nodes), (1...1_024).contains(cores)
        else { return nil }
        self.nodes = nodes
        self.cores = cores
    }
}

/// Forecasts for clusters up to the one asked for, a line each.
enum ForecastTable {
    static func rows(_ estimate: PlanEstimate, upTo cluster: ClusterSize) -> [String] {
        let header = [
            "nodes", "cores", "makespan", "cores busy", "coordinator busy", "messages/s", "moved",
        ]
        var table = [header]
        var best = ""
        var before: ClusterForecast.Figures?
        for nodes in steps(upTo: cluster.nodes) {
            var forecast = ClusterForecast(
                estimate.jobs, on: ForecastCluster(nodes: nodes, cores: cluster.cores))
            let figures = forecast.run()
            table.append(line(figures, nodes: nodes, cores: cluster.cores))
            if let before, best.isEmpty, figures.makespanSeconds > 0.8 * before.makespanSeconds {
                best = verdict(figures, before: before, nodes: nodes)
            }
            before = figures
        }
        let chain = before.map { "the longest chain of jobs takes \(Span.text($0.chainSeconds))" }
        return [""] + aligned(table) + [best, chain ?? ""].filter { !$0.isEmpty }
    }

    /// 1, 4, 16, …, and the number asked for.
    private static func steps(upTo nodes: Int) -> [Int] {
        var steps: [Int] = []
        var next = 1
        while next < nodes {
            steps.append(next)
            next *= 4
        }
        return steps + [nodes]
    }

    private static func line(
        _ figures: ClusterForecast.Figures, nodes: Int, cores: Int
    ) -> [String] {
        [
            "\(nodes)", "\(nodes * cores)",
            figures.isComplete ? Span.text(figures.makespanSeconds) : "never",
            String(format: "%.1f %%", figures.utilisation * 100),
            String(format: "%.2f %%", figures.coordinatorLoad * 100),
            "\(figures.messagesPerSecondMax)",
            String(format: "%.1f GB", Double(figures.bytesMoved) / 1e9),
        ]
    }

    private static func verdict(
        _ figures: ClusterForecast.Figures, before: ClusterForecast.Figures, nodes: Int
    ) -> String {
        let cause =
            figures.coordinatorLoad > 0.7
            ? "the coordinator has no time left"
            : figures.makespanSeconds < 1.5 * figures.chainSeconds
                ? "jobs wait for each other" : "there is too little work for so many cores"
        return "at \(nodes) nodes more of them hardly help: \(cause)"
    }

    private static func aligned(_ table: [[String]]) -> [String] {
        let widths = table[0].indices.map { column in
            table.map { $0[column].count }.max() ?? 0
        }
        return table.map { row in
            zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
                .joined(separator: "  ")
        }
    }
}

/// Lengths of time for people.
enum Span {
    static func text(_ seconds: Double) -> String {
        switch seconds {
        case ..<60: String(format: "%.1f s", seconds)
        case ..<3_600: String(format: "%.1f min", seconds / 60)
        case ..<172_800: String(format: "%.1f h", seconds / 3_600)
        default: String(format: "%.1f days", seconds / 86_400)
        }
    }
}
