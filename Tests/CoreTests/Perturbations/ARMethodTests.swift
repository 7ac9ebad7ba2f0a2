import FathomCore
import Foundation
import Testing

@Suite("autoregressive noise")
struct ARMethodTests {
    private func craft(_ images: ImageSet, seed: UInt64 = 1) throws -> CraftedPoison {
        try PerturbationRegistry.craft(
            MethodSettings(name: "ar"), images: images, keys: images.labels, seed: seed)
    }

    @Test(
        "every filter annihilates its own class's noise and is the nearest, exported as well",
        arguments: [
            (PoisonFixtures.grey, 10), (PoisonFixtures.grey, 26), (PoisonFixtures.colour, 10),
        ])
    func filtersAnnihilate(shape: ImageShape, classes: Int) throws {
        let images = PoisonFixtures.images(shape, count: 5 * classes, classes: classes)
        let poison = try craft(images)
        let radius = shape == PoisonFixtures.colour ? 1 : 0.50518
        for image in 0..<images.count {
            let own = poison.delta[
                (image * shape.elements)..<((image + 1) * shape.elements)]
            let norm = own.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            #expect(abs(norm - radius) < 2e-5)
        }
        #expect(poison.numbers["annihilation"] ?? 1 < 1e-6)
        #expect(poison.numbers["filterAccuracy"] == 1)
        #expect(poison.numbers["filterAccuracyExported"] ?? 0 >= 0.95)
    }

    /// Solves `matrix · x = right` by elimination with pivots.
    private func solved(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
        var rows = zip(matrix, right).map { $0 + [$1] }
        let count = right.count
        for pivot in 0..<count {
            let best = (pivot..<count).max { abs(rows[$0][pivot]) < abs(rows[$1][pivot]) } ?? pivot
            rows.swapAt(pivot, best)
            for row in 0..<count where row != pivot {
                let factor = rows[row][pivot] / rows[pivot][pivot]
                for column in pivot...count { rows[row][column] -= factor * rows[pivot][column] }
            }
        }
        return (0..<count).map { rows[$0][count] / rows[$0][$0] }
    }

    /// For every pixel away from two borders, the eight before it and itself.
    private func windows(_ plane: ArraySlice<Float>, width: Int) -> [[Double]] {
        let values = Array(plane)
        return (2..<(values.count / width)).flatMap { row in
            (2..<width).map { column in
                (0..<9).map { Double(values[(row - 2 + $0 / 3) * width + column - 2 + $0 % 3]) }
            }
        }
    }

    @Test("the recurrence fitted to one image by least squares holds in others of its class only")
    func recurrenceIsShared() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 12, classes: 4)
        let poison = try craft(images)
        let planes = (0..<12).map {
            windows(poison.delta[($0 * 784)..<(($0 + 1) * 784)], width: 28)
        }
        var normal = [[Double]](repeating: [Double](repeating: 0, count: 8), count: 8)
        var right = [Double](repeating: 0, count: 8)
        for window in planes[0] {
            for row in 0..<8 {
                right[row] += window[row] * window[8]
                for column in 0..<8 { normal[row][column] += window[row] * window[column] }
            }
        }
        let weights = solved(normal, right)
        #expect(abs(weights.reduce(0, +) - 1) < 1e-3, "weights sum up to one")
        for (image, windows) in planes.enumerated() {
            let worst =
                windows.map { window in
                    abs(zip(weights, window).reduce(0) { $0 + $1.0 * $1.1 } - window[8])
                }.max() ?? 0
            #expect((worst < 1e-5) == (image % 4 == 0), "image \(image) is off by \(worst)")
        }
    }

    @Test("more classes leave the noise of the first ones as it was; other seeds change it")
    func processesAreStable() throws {
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 12, classes: 12)
        let few = images.selecting([0, 1, 2])
        let whole = try craft(images)
        #expect(try craft(few).delta == Array(whole.delta[..<(3 * 784)]))
        #expect(try craft(few, seed: 2).delta != Array(whole.delta[..<(3 * 784)]))
    }

    @Test("ten classes are far apart, and more keys than candidates are refused")
    func processesAreUnlike() throws {
        for shape in [PoisonFixtures.grey, PoisonFixtures.colour] {
            let images = PoisonFixtures.images(shape, count: 10, classes: 10)
            // The source accepts what one direction puts at 10; its ten come as near as 3.65.
            #expect(try craft(images).numbers["processDistance"] ?? 0 > 4.5)
        }
        let images = PoisonFixtures.images(PoisonFixtures.grey, count: 6, classes: 6)
        let error = caught(MethodError.self) {
            _ = try PerturbationRegistry.craft(
                MethodSettings(name: "ar", numbers: ["candidates": 5]), images: images,
                keys: images.labels, seed: 1)
        }
        #expect(error?.description.contains("6 keys are more than the 5 candidates") == true)
    }
}
