import FathomCore
import FathomProtocol
import Testing

@Suite("Defenses in a sweep")
struct ManifestDefenseTests {
    private func planned(
        _ defenses: String, _ more: String = "", unfit: String? = nil
    ) throws -> SweepPlan {
        let text = smallestManifest + "training: { epochs: 4 }\ndefenses: \(defenses)\n\(more)"
        return try SweepPlanner.plan(
            try parsed(text), facts: ["mnist": factsForTests],
            measuredLayers: { _, _, _ in [6, 16] },
            resolveDefense: { given, facts in
                var complete = given
                if given.name == "cutout", given.numbers["side"] == nil {
                    complete.numbers["side"] = Double(facts.height / 2)
                }
                return complete
            },
            reasonUnfit: { defense, _, _ in defense.name == unfit ? "it cannot be" : nil },
            revisions: Revisions(defenses: ["jpeg": 1, "gray": 1]))
    }

    @Test("none is the default, and leaves every key as it was")
    func none() throws {
        let plain = try Manifest.parse(smallestManifest, file: "a", capabilities: .forTests)
        #expect(plain.defenses == [DefenseSettings()])
        let named = try parsed(smallestManifest + "defenses: [none]\n")
        #expect(plain == named)
        let alone = Set(try planned("none").jobs.map(\.key))
        let beside = Set(try planned("[none, jpeg, cutout]").jobs.map(\.key))
        #expect(beside.isSuperset(of: alone))
    }

    @Test("settings may be axes, defaults are filled in, and sizes are worked out by data set")
    func axes() throws {
        let plan = try planned("[none, { name: jpeg, quality: [10, 50] }, cutout]")
        let defenses = plan.cells.map(\.defense)
        #expect(Set(defenses.map(\.name)) == ["none", "jpeg", "cutout"])
        #expect(Set(defenses.compactMap { $0.numbers["quality"] }) == [10, 50])
        #expect(defenses.contains { $0.numbers["side"] == 14 })
        #expect(
            Set(plan.cells.map(\.defenseLabel))
                == ["none", "jpeg (quality=10)", "jpeg (quality=50)", "cutout"])
        let jpeg = try #require(defenses.first { $0.name == "jpeg" })
        #expect(jpeg.words == ["testImages": "plain"])
        let again = try parsed(try parsed(smallestManifest + "defenses: [jpeg, none]\n").yaml)
        #expect(again.defenses.map(\.name) == ["jpeg", "none"])
    }

    static let slips: [(String, String)] = [
        (
            "[jpg]",
            "defenses[0] is jpg; it must be one of none, gray, jpeg, cutout; did you mean jpeg?"
        ),
        (
            "[{ name: jpeg, qualty: 9 }]",
            "defenses[0].qualty is not a known key; did you mean quality?"
        ),
        (
            "[{ name: jpeg, quality: 0 }]",
            "defenses[0].quality is 0; it must be a whole number from 1 to 100"
        ),
        (
            "[{ name: gray, testImages: transfromed }]",
            "defenses[0].testImages is transfromed; it must be one of plain, transformed; "
                + "did you mean transformed?"
        ),
        ("[gray, gray]", "defenses[1] is gray; it comes to the same as defenses[0]"),
        ("[{ quality: 10 }]", "defenses[0].name is missing; it says which one is meant"),
    ]

    @Test("a slip is told with the field, the value and what was meant", arguments: slips)
    func slip(defenses: String, says: String) {
        #expect(complaint(about: "defenses: \(defenses)") == "q.yaml:7: \(says)")
    }

    @Test("SAL of trained images is measured as the defense leaves them, of others by its setting")
    func measuredImages() throws {
        for (source, plain, transformed) in [
            ("train", true, true), ("clean-train", false, true), ("test", false, true),
        ] {
            let plan = try planned(
                "[none, cutout, gray, { name: gray, testImages: transformed }]",
                "sal: { data: \(source) }\n")
            let keys = Dictionary(uniqueKeysWithValues: plan.jobs.map { ($0.key, $0.spec) })
            for cell in plan.cells {
                let isTransformed = cell.defense.words["testImages"] == "transformed"
                let isGray = cell.defense.name == "gray"
                let expected = isGray && (isTransformed ? transformed : plain)
                for run in cell.runs {
                    for measured in run.measurements {
                        guard case .sal(let sal) = keys[measured.job]?.body else { continue }
                        #expect(sal.defense == (expected ? cell.defense : nil))
                        let waits = source == "train" || expected
                        #expect(sal.poison == (waits ? run.poison : nil))
                    }
                }
            }
        }
    }

    @Test("keys put together are those of the jobs, with a defense too")
    func keys() throws {
        for job in try planned("[none, gray, jpeg, cutout]").jobs {
            #expect(job.key == job.spec.key)
        }
    }

    @Test("another revision of a defense makes its jobs anew and no others")
    func revisions() throws {
        func keys(_ revisions: Revisions) throws -> [String: Set<JobKey>] {
            let text = smallestManifest + "training: { epochs: 4 }\ndefenses: [none, gray]\n"
            let plan = try ProtocolTests.planned(try parsed(text), revisions: revisions)
            return Dictionary(grouping: plan.cells, by: \.defense.name).mapValues { cells in
                Set(cells.flatMap(\.runs).flatMap { $0.segments + $0.measurements.map(\.job) })
            }
        }
        let old = try keys(Revisions(defenses: ["gray": 1]))
        let new = try keys(Revisions(defenses: ["gray": 2]))
        #expect(old["none"] == new["none"])
        #expect(old["gray"]?.isDisjoint(with: new["gray"] ?? []) == true)
    }

    @Test("a defense that means nothing is planned without runs, with its reason, once")
    func notApplicable() throws {
        let plan = try planned("[none, gray]", unfit: "gray")
        let gray = plan.cells.filter { $0.defense.name == "gray" }
        #expect(gray.count == 3 && gray.allSatisfy { $0.runs.isEmpty })
        #expect(gray.allSatisfy { $0.notApplicable == "it cannot be" })
        #expect(plan.cells.filter { $0.defense.name == "none" }.allSatisfy { !$0.runs.isEmpty })
        #expect(plan.jobs.count == (try planned("[none]")).jobs.count)
        let note =
            "3 cells will not run under gray on mnist, task cls, which is not applicable: it "
            + "cannot be"
        #expect(plan.notes.filter { $0.contains("gray") } == [note])
        let summary = PlanSummary(plan).text
        #expect(summary.contains("note: \(note)"))
        #expect(summary.contains("gray     clean      -       -"))
    }
}
