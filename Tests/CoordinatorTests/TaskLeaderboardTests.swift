import FathomCoordinator
import FathomCore
import FathomProtocol
import Testing

/// Damage and order of tasks other than classification.
@Suite("Leaderboards of tasks")
struct TaskLeaderboardTests {
    private func cell(
        _ method: String, task: String, _ values: [Double], chance: Double?
    ) -> ScoredCell {
        ScoredCell(
            label: method + task, position: 0, method: method, methodName: method, task: task,
            model: "smallcnn", defense: "none", dataSet: "rooms10", baselineGroup: task,
            classCount: 10,
            runs: values.enumerated().map { seed, value in
                var run = ScoredRun(seed: seed, metric: value)
                run.chance = chance
                return run
            })
    }

    private func rows(_ cells: [ScoredCell]) -> [String: LeaderboardRow] {
        var scoring = UDScoring(cells: cells)
        let scores = scoring.scores()
        var board = LeaderboardScoring(
            scoring: scoring, scores: scores, comparison: ComparisonSettings())
        return Dictionary(uniqueKeysWithValues: board.rows().map { ($0.method, $0) })
    }

    @Test("damage is the share of the gain over chance that is lost, whichever way is up")
    func damage() throws {
        let down = rows([
            cell("clean", task: "depth", [0.020, 0.020, 0.021, 0.019], chance: 0.1),
            cell("lsp", task: "depth", [0.060, 0.060, 0.060, 0.060], chance: 0.1),
        ])
        #expect(abs(try #require(down["lsp"]?.damage) - 0.5) < 1e-9)
        #expect(down["lsp"]?.metricName == "abs" && down["lsp"]?.chance == 0.1)
        let up = rows([
            cell("clean", task: "sem@sem+depth", [0.60, 0.61, 0.59], chance: 0.2),
            cell("lsp", task: "sem@sem+depth", [0.20, 0.20, 0.20], chance: 0.2),
        ])
        #expect(abs(try #require(up["lsp"]?.damage) - 1) < 1e-9)
        #expect(up["lsp"]?.metricName == "mIoU")
    }

    @Test("where clean training gains nothing, or chance is unknown, there is no damage")
    func undefined() {
        func reason(_ task: String, _ clean: [Double], _ chance: Double?) -> String? {
            let rows = rows([
                cell("clean", task: task, clean, chance: chance),
                cell("lsp", task: task, clean, chance: chance),
            ])
            #expect(rows["lsp"]?.damage == nil)
            return rows["lsp"]?.damageReason
        }
        #expect(reason("depth", [0.2, 0.21], 0.1) == "clean training is no better than chance")
        #expect(reason("sem", [0.2, 0.21], 0.3) == "clean training is no better than chance")
        #expect(
            reason("depth", [0.02, 0.09], 0.1)
                == "clean training is too near chance for its spread")
        #expect(
            reason("joint@cls+depth", [1, 1.1], nil) == "a sum of losses has no level of chance")
        #expect(
            reason("depth", [0.02, 0.021], nil) == "no clean run told its level of chance")
    }

    @Test("classification alone keeps one over its classes for chance")
    func classification() throws {
        let rows = rows([
            cell("clean", task: "cls", [0.8, 0.81, 0.79], chance: nil),
            cell("lsp", task: "cls", [0.45, 0.45, 0.45], chance: nil),
        ])
        #expect(rows["clean"]?.chance == 0.1)
        #expect(abs(try #require(rows["lsp"]?.damage) - 0.5) < 1e-9)
    }

    @Test("by metric the worst comes first, whichever way is up")
    func order() {
        func methods(_ task: String) -> [String] {
            let rows = rows([
                cell("mild", task: task, [0.3], chance: 0.5),
                cell("strong", task: task, [0.4], chance: 0.5),
            ])
            return Leaderboard(Array(rows.values), order: .metric).groups[0].rows.map(\.method)
        }
        #expect(methods("depth") == ["strong", "mild"])
        #expect(methods("sem") == ["mild", "strong"])
    }
}
