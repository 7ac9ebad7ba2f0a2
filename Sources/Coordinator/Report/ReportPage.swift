import FathomCore
public import FathomPage

/// A sweep's results as one page: what came out in words, tables and pictures, with the data behind
/// each, and with what is needed to repeat or to cite it.
public struct ReportPage: Sendable {
    /// When and with what the page was made.
    public struct Origin: Sendable, Hashable {
        public var program: String
        /// Such as `2026-05-04 13:00:00 UTC`.
        public var time: String

        public init(program: String, time: String) {
            self.program = program
            self.time = time
        }
    }

    let data: ReportData
    let gallery: ReportGallery
    let limits: ReportLimits
    let origin: Origin
    let selection: ReportSelection
    let styles: ReportStyles

    public init(
        _ data: ReportData, gallery: ReportGallery = ReportGallery(),
        limits: ReportLimits = ReportLimits(), origin: Origin
    ) {
        self.data = data
        self.gallery = gallery
        self.limits = limits
        self.origin = origin
        selection = ReportSelection(data, limits: limits)
        styles = ReportStyles(data.rows)
    }

    /// The file.
    public var html: String { document.html }

    public var document: PageDocument {
        PageDocument(title: "\(data.sweep): Fathom report", body: body)
    }

    /// A part of the page; parts without content are left out.
    private struct Section {
        var id: String
        var title: String
        var content: Markup
    }

    private var sections: [Section] {
        [
            Section(id: "summary", title: "Summary", content: summary),
            Section(id: "leaderboard", title: "Leaderboard", content: leaderboard),
            Section(id: "tasks", title: "Across tasks", content: crossTask),
            Section(id: "agreement", title: "UD against the task", content: scatter),
            Section(id: "sal", title: "Where it stays learnable", content: salHeatMaps),
            Section(id: "distribution", title: "SAL and the threshold", content: distributions),
            Section(id: "epochs", title: "Learnable by epoch", content: learnableByEpoch),
            Section(id: "training", title: "Training", content: training),
            Section(id: "sensitivity", title: "How much the rule decides", content: sensitivity),
            Section(id: "gallery", title: "Perturbations", content: galleryOfImages),
            Section(id: "landscapes", title: "Loss landscapes", content: landscapes),
            Section(id: "provenance", title: "Provenance", content: provenance),
            Section(id: "reading", title: "How to read this page", content: reading),
            Section(id: "citing", title: "How to cite", content: citing),
        ].filter { !$0.content.isEmpty }
    }

    private var body: Markup {
        let sections = sections
        return Markup(
            joining: [
                Markup("a", ["class": "skip", "href": "#summary"]) { "Skip to the summary" },
                Markup("header") {
                    Markup("h1") { data.sweep }
                    Markup("p", ["class": "subtitle"]) {
                        "How far each treatment of the training images is from making them "
                        "unlearnable. A report by "
                        origin.program
                        ", made \(origin.time)."
                    }
                    Markup("nav", ["aria-label": "Contents"]) {
                        Markup("ul") {
                            for section in sections {
                                Markup("li") {
                                    Markup("a", ["href": "#\(section.id)"]) { section.title }
                                }
                            }
                        }
                    }
                },
                Markup("main") {
                    for section in sections {
                        Markup(
                            "section",
                            ["id": section.id, "aria-labelledby": "\(section.id)-h"]
                        ) {
                            Markup("h2", ["id": "\(section.id)-h"]) { section.title }
                            section.content
                        }
                    }
                },
            ])
    }

    /// A chart under the name of its group, which is left out where there is one group only.
    func titled(_ title: String, @MarkupBuilder _ chart: () -> Markup) -> Markup {
        Markup("div") {
            selection.groups.count > 1
                ? Markup("p", ["class": "panel-title"]) { title } : Markup.nothing
            chart()
        }
    }

    /// What is left out of figures, in words.
    var omissions: Markup? {
        var parts: [String] = []
        if selection.hiddenGroups > 0 {
            let all = selection.groups.count + selection.hiddenGroups
            parts.append("the first \(selection.groups.count) of \(all) groups have figures")
        }
        let hidden = selection.groups.reduce(0) { $0 + $1.hiddenCount }
        if hidden > 0 {
            parts.append(
                "\(ReportWords.plural(hidden, "cell")) beyond \(limits.cellsPerGroup) a group "
                    + "have none")
        }
        guard !parts.isEmpty else { return nil }
        return Markup("p", ["class": "soft"]) {
            "To keep this page readable, \(parts.joined(separator: "; ")). "
            "Their numbers are in the store: fathom export writes all of them."
        }
    }
}
