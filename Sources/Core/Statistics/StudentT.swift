import Foundation

/// Student's t distribution, by the incomplete beta function.
public enum StudentT {
    /// The share of the distribution below `t`: half of `I(ν / (ν + t²); ν/2, 1/2)` for `t < 0`.
    public static func cumulative(_ t: Double, degreesOfFreedom: Double) -> Double {
        precondition(degreesOfFreedom > 0, "\(degreesOfFreedom) degrees of freedom")
        let x = degreesOfFreedom / (degreesOfFreedom + t * t)
        let tail = IncompleteBeta.regularized(x, degreesOfFreedom / 2, 0.5) / 2
        return t > 0 ? 1 - tail : tail
    }

    /// The value below which a share `probability` of the distribution lies.
    ///
    /// - Parameter probability: Within 0..<1, above 0.
    public static func quantile(_ probability: Double, degreesOfFreedom: Double) -> Double {
        precondition(
            probability > 0 && probability < 1 && degreesOfFreedom > 0,
            "no quantile \(probability) with \(degreesOfFreedom) degrees of freedom")
        if probability == 0.5 { return 0 }
        if probability < 0.5 {
            return -quantile(1 - probability, degreesOfFreedom: degreesOfFreedom)
        }
        // P(|T| > t) = I(x; ν/2, 1/2) with x = ν / (ν + t²), so x is found by halving, and t from x.
        let tail = 2 * (1 - probability)
        var low = 0.0
        var high = 1.0
        while true {
            let middle = low + (high - low) / 2
            if middle <= low || middle >= high { break }
            if IncompleteBeta.regularized(middle, degreesOfFreedom / 2, 0.5) < tail {
                low = middle
            } else {
                high = middle
            }
        }
        return (degreesOfFreedom * (1 - high) / high).squareRoot()
    }
}

/// The regularized incomplete beta function I(x; a, b).
public enum IncompleteBeta {
    /// - Parameters:
    ///   - x: Within 0...1.
    ///   - a: Above 0.
    ///   - b: Above 0.
    public static func regularized(_ x: Double, _ a: Double, _ b: Double) -> Double {
        precondition((0...1).contains(x) && a > 0 && b > 0, "I(\(x); \(a), \(b)) is undefined")
        if x == 0 || x == 1 { return x }
        let logFront =
            logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x)
        let front = exp(logFront)
        // The fraction converges fast on one side of the mean only; symmetry serves the other.
        if x < (a + 1) / (a + b + 2) { return front * continuedFraction(x, a, b) / a }
        return 1 - front * continuedFraction(1 - x, b, a) / b
    }

    /// Lentz's method on the continued fraction of I (Abramowitz and Stegun, 26.5.8).
    private static func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / kept(1 - (a + b) * x / (a + 1))
        var result = d
        for step in 1...10_000 {
            let m = Double(step)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / kept(1 + even * d)
            c = kept(1 + even / c)
            result *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / kept(1 + odd * d)
            c = kept(1 + odd / c)
            result *= d * c
            if abs(d * c - 1) < 1e-16 { break }
        }
        return result
    }

    /// The logarithm of the gamma function for positive numbers: Stirling's series after raising
    /// the argument, good to about 1e-15.
    static func logGamma(_ value: Double) -> Double {
        var shifted = value
        var product = 1.0
        while shifted < 15 {
            product *= shifted
            shifted += 1
        }
        let inverse = 1 / shifted
        let square = inverse * inverse
        let series =
            inverse * (1 / 12.0 - square * (1 / 360.0 - square * (1 / 1260.0 - square / 1680)))
        return (shifted - 0.5) * log(shifted) - shifted + 0.5 * log(2 * Double.pi) + series
            - log(product)
    }
}
