import FathomCore
import FathomPage
import Foundation

extension ReportPage {
    /// What is needed to repeat the sweep, and to trust it.
    var provenance: Markup {
        Markup(
            joining: [
                facts, problems, jobs, machines,
                Markup("details") {
                    Markup("summary") { "The manifest, with every default filled in" }
                    Markup("pre") { manifestText }
                },
            ])
    }

    private var manifestDigest: Digest { Digest(of: Data(data.manifest.utf8)) }

    private var facts: Markup {
        let work = data.work
        let tries = work.attempts.values.reduce(0, +)
        let accepted = work.attempts["accepted"] ?? 0
        let seeds = work.seeds.map { "\($0)" }
        return Markup("div", ["class": "scroll"]) {
            Markup("table") {
                Markup("caption") { "The sweep" }
                Markup("tbody") {
                    fact("Sweep", data.sweep)
                    fact("Manifest digest (SHA-256)", manifestDigest.description)
                    fact("Seeds", ReportWords.list(seeds, max: 40))
                    fact("Registered", ReportPage.time(work.createdAt))
                    fact("Last result", ReportPage.time(work.lastResultAt))
                    fact("Starts of a coordinator on this store", "\(work.terms)")
                    fact(
                        "Results",
                        "\(Numeral.count(accepted)) accepted of "
                            + ReportWords.plural(tries, "attempt that ended", "attempts that ended")
                    )
                    fact(
                        "Computed twice, equal bits", "\(work.attempts["agreed"] ?? 0)")
                    fact(
                        "Computed twice, different bits", "\(work.attempts["disagreed"] ?? 0)")
                    salCost.map { fact("SAL cost beside training", $0) }
                }
            }
        }
    }

    private func fact(_ name: String, _ value: String) -> Markup {
        Markup("tr") {
            Markup("th", ["scope": "row"]) { name }
            Markup("td") { value }
        }
    }

    private var salCost: String? {
        func seconds(_ kind: String) -> Double? {
            data.work.kinds.first { $0.kind == kind && $0.seconds > 0 }?.seconds
        }
        guard let sal = seconds("sal"), let train = seconds("train") else { return nil }
        return "\(Numeral.fixed(100 * sal / train, 0)) % of the time that training took"
    }

    private var problems: Markup {
        guard data.work.problemCount > 0 else { return .nothing }
        let shown = data.work.problems
        return Markup(
            joining: [
                Markup("h3") { "Problems" },
                shown.count < data.work.problemCount
                    ? Markup("p", ["class": "soft"]) {
                        "The first \(shown.count) of \(Numeral.count(data.work.problemCount)); "
                        "fathom status and fathom explain know all."
                    } : .nothing,
                PageTable(
                    id: "problems", caption: "Jobs that failed, wait in vain, or disagree",
                    columns: [
                        .init("Method"), .init("Kind"), .init("State"), .init("Job"),
                        .init("Reason"),
                    ],
                    rows: shown.map { problem in
                        .init([
                            .init(problem.method), .init(problem.kind), .init(problem.state),
                            .init(String(problem.job.prefix(12))),
                            .init(String(problem.reason.prefix(600)), isWide: true),
                        ])
                    }
                ).markup,
            ])
    }

    private var jobs: Markup {
        PageTable(
            id: "jobs", caption: "Jobs",
            columns: [
                .init("Kind"), .init("Finished", isNumber: true), .init("Planned", isNumber: true),
                .init("Failed", isNumber: true), .init("Blocked", isNumber: true),
                .init("Computing time", isNumber: true),
                .init("Revision", help: "The version of the code that computed them"),
            ],
            rows: data.work.kinds.map { kind in
                .init([
                    .init(kind.kind), count(kind.finished), count(kind.total), count(kind.failed),
                    count(kind.blocked),
                    .init(Numeral.duration(seconds: kind.seconds), value: kind.seconds),
                    .init(kind.revisions.replacing(",", with: ", ")),
                ])
            }
        ).markup
    }

    private func count(_ value: Int) -> PageTable.Cell {
        .init(Numeral.count(value), value: Double(value))
    }

    private var machines: Markup {
        guard !data.work.workers.isEmpty else { return .nothing }
        let classes = Set(data.work.workers.map(\.numericClass))
        return Markup(
            joining: [
                PageTable(
                    id: "machines", caption: "Machines whose results were accepted",
                    columns: [
                        .init("Host"), .init("Slots", isNumber: true),
                        .init("Starts", isNumber: true),
                        .init("Results", isNumber: true), .init("Build"),
                        .init(
                            "Numeric class",
                            help: "Equal seeds and settings give equal bits within one class"),
                    ],
                    rows: data.work.workers.map { worker in
                        .init([
                            .init(worker.host), count(worker.slots), count(worker.count),
                            count(worker.jobs), .init(worker.build), .init(worker.numericClass),
                        ])
                    }
                ).markup,
                classes.count > 1
                    ? Markup("p", ["class": "verdict warn"]) {
                        "Results come from \(classes.count) numeric classes: equal seeds and "
                        "settings give equal bits only within one."
                    } : .nothing,
            ])
    }

    /// Laid out in lines, as far as there is room.
    private var manifestText: String {
        let options: JSONSerialization.WritingOptions = [
            .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
        ]
        let text: String
        if let object = try? JSONSerialization.jsonObject(with: Data(data.manifest.utf8)),
            let laidOut = try? JSONSerialization.data(withJSONObject: object, options: options)
        {
            text = String(decoding: laidOut, as: UTF8.self)
        } else {
            text = data.manifest
        }
        guard text.utf8.count > limits.manifestBytes else { return text }
        return String(text.prefix(limits.manifestBytes))
            + "\n… (cut; the table sweep of the store holds it whole)"
    }

    /// UTC, to the second.
    static func time(_ microseconds: Int64?) -> String {
        guard let microseconds else { return "–" }
        let format = ISO8601DateFormatter()
        format.formatOptions = [
            .withFullDate, .withTime, .withColonSeparatorInTime, .withSpaceBetweenDateAndTime,
            .withDashSeparatorInDate,
        ]
        let date = Date(timeIntervalSince1970: Double(microseconds / 1_000_000))
        return format.string(from: date) + " UTC"
    }

    /// What a paper needs to name this sweep.
    var citing: Markup {
        let digest = String(manifestDigest.description.prefix(12))
        let last = ReportPage.time(data.work.lastResultAt).prefix(10)
        return Markup(
            joining: [
                Markup("p") {
                    "SAL and UD were defined by Ye, Su and Qian; please cite their paper for the "
                    "method, and Fathom with the sweep and its digest for these numbers. "
                    "Poisoning methods, defenses and data sets have papers of their own."
                },
                Markup("pre") {
                    """
                    @inproceedings{ye2025unlearnability,
                      title     = {How Far Are We from True Unlearnability?},
                      author    = {Ye, Kai and Su, Liangcai and Qian, Chenxiong},
                      booktitle = {International Conference on Learning Representations},
                      year      = {2025},
                      note      = {arXiv:2509.08058}
                    }

                    @software{fathom,
                      title   = {Fathom: how far a data set is from being unlearnable},
                      version = {\(origin.program)},
                      note    = {sweep \(data.sweep), manifest \(digest), results of \(last)}
                    }
                    """
                },
            ])
    }

    /// The terms, for those who come from elsewhere.
    var reading: Markup {
        Markup("dl", ["class": "prose"]) {
            term(
                "SAL", "sharpness-aware learnability",
                "how far the loss can move when one layer's weights move within a small ball "
                    + "around where training left them, in nats. A layer that cannot move the "
                    + "loss has nothing left to learn.")
            term(
                "β", "the threshold",
                "splits the SAL values of clean training into two clusters. Above it a layer "
                    + "counts as learnable.")
            term(
                "LC", "learnable count", "how many layers lie above β, as a mean over epochs.")
            term(
                "UD", "unlearnable distance",
                "LC of the treated run over LC of clean training with the same seed: 1 is as "
                    + "learnable as clean, 0 is not learnable at all, above 1 the network learns "
                    + "more features, useful or not.")
            term(
                "Damage", "what the poison does to the task",
                "the share of clean training's gain over chance that is lost on clean test images.")
            term(
                "Controls", "what should do no harm",
                "treatments such as random noise. UD can be believed only where their interval "
                    + "stays within 0.80 to 1.25 and clean training has enough learnable layers; "
                    + "a method differs from no poison only outside the controls' interval.")
            term(
                "Intervals", "95 %",
                "bootstrap over seeds for UD and damage, Student's t for metrics. With two seeds "
                    + "they are rough.")
        }
    }

    private func term(_ short: String, _ long: String, _ meaning: String) -> Markup {
        Markup(
            joining: [
                Markup("dt") {
                    Markup("strong") { short }
                    ", \(long)"
                }, Markup("dd") { meaning },
            ])
    }
}
