/// Sine, cosine and logarithm from nothing but + - * /, so that they have the same bits on every
/// machine: the mathematics library of the system may round their last bit as it likes.
enum ExactMath {
    /// Sine and cosine of an angle in whole turns.
    static func sineAndCosine(turns: Double) -> (sine: Double, cosine: Double) {
        let quarter = (4 * turns).rounded(.toNearestOrEven)
        let angle = (turns - quarter / 4) * (2 * Double.pi)  // Within ±π/4.
        let square = angle * angle
        var sine = 1.0
        var cosine = 1.0
        for step in stride(from: 16, through: 2, by: -2) {
            let number = Double(step)
            sine = 1 - square / (number * (number + 1)) * sine
            cosine = 1 - square / (number * (number - 1)) * cosine
        }
        sine *= angle
        switch Int(quarter) & 3 {
        case 0: return (sine, cosine)
        case 1: return (cosine, -sine)
        case 2: return (-sine, -cosine)
        default: return (-cosine, sine)
        }
    }

    /// The natural logarithm of a positive, normal number.
    static func logarithm(_ value: Double) -> Double {
        precondition(value > 0 && value.isNormal, "no logarithm of \(value) is worked out")
        var mantissa = value.significand
        var exponent = Double(value.exponent)
        if mantissa > 1.414_213_562_373_095 {
            mantissa /= 2
            exponent += 1
        }
        let ratio = (mantissa - 1) / (mantissa + 1)
        let square = ratio * ratio
        var series = 0.0
        for odd in stride(from: 25, through: 1, by: -2) {
            series = series * square + 1 / Double(odd)
        }
        return 2 * ratio * series + exponent * 0.693_147_180_559_945_309
    }
}

/// Three numbers: a place, a direction or a color.
struct Vector3: Hashable, Sendable {
    var x: Float
    var y: Float
    var z: Float

    @inline(__always)
    init(_ x: Float, _ y: Float, _ z: Float) {
        self.x = x
        self.y = y
        self.z = z
    }

    @inline(__always)
    static func + (left: Vector3, right: Vector3) -> Vector3 {
        Vector3(left.x + right.x, left.y + right.y, left.z + right.z)
    }

    @inline(__always)
    static func - (left: Vector3, right: Vector3) -> Vector3 {
        Vector3(left.x - right.x, left.y - right.y, left.z - right.z)
    }

    @inline(__always)
    static func * (vector: Vector3, factor: Float) -> Vector3 {
        Vector3(vector.x * factor, vector.y * factor, vector.z * factor)
    }

    @inline(__always)
    func dot(_ other: Vector3) -> Float { x * other.x + y * other.y + z * other.z }

    @inline(__always)
    var normalized: Vector3 { self * (1 / dot(self).squareRoot()) }

    /// About the vertical axis, into an object's frame.
    @inline(__always)
    func turned(sine: Float, cosine: Float) -> Vector3 {
        Vector3(x * cosine - z * sine, y, x * sine + z * cosine)
    }

    /// The other way round, out of it.
    @inline(__always)
    func turnedBack(sine: Float, cosine: Float) -> Vector3 {
        Vector3(x * cosine + z * sine, y, z * cosine - x * sine)
    }
}

extension Float {
    /// The largest whole number not above; for numbers far from the limits of 32 bits.
    @inline(__always)
    var floorInteger: Int32 {
        let whole = Int32(self)
        return self < Float(whole) ? whole &- 1 : whole
    }
}

extension ExactMath {
    /// e to the power of a number that is 0 or below, and above -700.
    static func exponential(_ power: Double) -> Double {
        precondition((-700...0).contains(power), "no power \(power) of e is worked out")
        // exp(x) = exp(x / 1024) ^ 1024, and the small one by its series.
        let small = power / 1024
        var series = 1.0
        for number in stride(from: 12.0, through: 1, by: -1) {
            series = 1 + small / number * series
        }
        for _ in 0..<10 { series *= series }
        return series
    }
}
