/// Numbers as people write them in manifests: `20`, `5e-4`, `8/255`.
enum NumberText {
    /// Reads a finite number; `nil` for anything else, such as `inf`, `0x10`, `1_000` or `1:30`.
    static func number(_ text: String) -> Double? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let numerator = parts.first.flatMap(decimal) else { return nil }
        guard parts.count == 2 else { return numerator }
        guard let denominator = decimal(parts[1]), denominator != 0 else { return nil }
        let quotient = numerator / denominator
        return quotient.isFinite ? quotient : nil
    }

    /// Reads a whole number that a `Double` holds exactly.
    static func whole(_ text: String) -> Int? {
        guard let value = number(text), value.rounded() == value, abs(value) <= 0x1p53 else {
            return nil
        }
        return Int(value)
    }

    /// The shortest text that reads back as the same number; whole numbers without a point.
    static func shortest(_ value: Double) -> String {
        value.rounded() == value && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    /// `Double` alone would also take hexadecimal, `nan` and `infinity`.
    private static func decimal(_ text: Substring) -> Double? {
        let trimmed = text.trimming(" ")
        guard !trimmed.isEmpty, trimmed.utf8.allSatisfy(isDecimalByte),
            let value = Double(String(trimmed)), value.isFinite
        else { return nil }
        return value
    }

    private static func isDecimalByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"),
            UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension Substring {
    /// Without `character` at either end.
    fileprivate func trimming(_ character: Character) -> Substring {
        var rest = self
        while rest.first == character { rest.removeFirst() }
        while rest.last == character { rest.removeLast() }
        return rest
    }
}
