/// The UD fixtures: SAL matrices to thresholds, counts and distances.
enum GoldenUD {
    struct Notes: Decodable {
        struct Tolerance: Decodable {
            let threshold: Double
            let ud: Double
        }
        struct Case: Decodable {
            let name: String
            let thresholdPerEpoch: [Double]
            let threshold: Double
            let learnableLayers: [String: Double]
            let udLayers: [String: Double]
            let learnableParameters: [String: Double]
            let udParameters: [String: Double]
            enum CodingKeys: String, CodingKey {
                case name, threshold
                case thresholdPerEpoch = "threshold_per_epoch"
                case learnableLayers = "learnable_layers"
                case udLayers = "ud_layers"
                case learnableParameters = "learnable_parameters"
                case udParameters = "ud_parameters"
            }
        }
        let tolerance: Tolerance
        let cases: [Case]
    }

    static func run(_ folder: GoldenFolder, _ each: (GoldenCase) -> Void) throws {
        let notes = try folder.notes(Notes.self, "ud")
        let tensors = try folder.tensors("ud")
        for one in notes.cases {
            each(check(one, tensors, notes.tolerance))
        }
    }

    private static func check(
        _ one: Notes.Case, _ tensors: SafetensorsFile, _ tolerance: Notes.Tolerance
    ) -> GoldenCase {
        guard let clean = matrix("\(one.name)/clean", tensors),
            let weights = tensors["\(one.name)/parameters"]?.integers,
            let threshold = LearnableThreshold.threshold(.released, seedIndex: 0, clean: [clean])
        else { return GoldenCase(one.name, unreadable: "the clean matrix is missing") }
        let perEpoch = LearnableThreshold.perEpoch(of: clean).map(\.beta)
        let worst = zip(perEpoch, one.thresholdPerEpoch).map { abs($0 - $1) }.max()
        var checks = [
            GoldenCase.Check(
                what: "threshold per epoch",
                error: perEpoch.count == one.thresholdPerEpoch.count ? worst ?? 0 : .infinity,
                tolerance: tolerance.threshold),
            GoldenCase.Check(
                what: "threshold", error: abs(threshold.beta - one.threshold),
                tolerance: tolerance.threshold),
        ]
        let kinds = [
            (CountKind.layers, one.learnableLayers, one.udLayers),
            (.parameters, one.learnableParameters, one.udParameters),
        ]
        for (kind, counts, distances) in kinds {
            let count = { (matrix: SALMatrix) in
                LearnableCount.count(
                    kind, of: matrix, above: threshold.beta, weightCounts: weights)
            }
            for (name, expected) in counts.sorted(by: { $0.key < $1.key }) {
                guard let poisoned = matrix("\(one.name)/\(name)", tensors) else { continue }
                checks.append(
                    GoldenCase.Check(
                        what: "learnable \(kind) of \(name)",
                        error: GoldenMeasure.relative(count(poisoned), expected, floor: 1),
                        tolerance: tolerance.ud))
                let pair = UnlearnableDistance.Pair(
                    learnable: count(poisoned), baseline: count(clean))
                checks.append(
                    GoldenCase.Check(
                        what: "UD by \(kind) of \(name)",
                        error: abs((pair.ratio ?? .infinity) - (distances[name] ?? .nan)),
                        tolerance: tolerance.ud))
            }
        }
        return GoldenCase(one.name, checks)
    }

    private static func matrix(_ name: String, _ tensors: SafetensorsFile) -> SALMatrix? {
        guard let array = tensors[name], let values = array.doubles, array.shape.count == 2 else {
            return nil
        }
        return SALMatrix(
            epochs: Array(1...array.shape[0]), layerCount: array.shape[1], values: values)
    }
}
