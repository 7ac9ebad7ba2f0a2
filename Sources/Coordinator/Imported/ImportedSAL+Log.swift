import FathomCore
import FathomProtocol

extension ImportedSAL {
    /// Whether a text is a log of the released program, and no CSV file.
    public static func isLog(_ text: String) -> Bool {
        text.prefix { !$0.isNewline }.contains(LogReader.mark)
    }

    /// Reads the `output.log` of the program that the paper's authors released: one run.
    ///
    /// Its form is that of `poison_train_sharp.py` in MLsecurityLab/HowFarAreFromTrueUnlearnability:
    /// after an epoch the accuracy on test images, the loss that walks start from, for every layer
    /// a line after each pass, and last a summary. A layer's last line counts; an epoch without a
    /// summary was cut off and is left out. Numbers have the four decimals they were logged with.
    ///
    /// - Parameters:
    ///   - method: Stands in for what the log's settings say (`type`, or `clean`).
    ///   - seed: In the same way.
    public init(log text: String, method: String?, seed: Int?) throws(ImportedSALError) {
        var reader = LogReader()
        for (index, line) in text.split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated() {
            guard let mark = line.firstRange(of: LogReader.mark) else { continue }
            try reader.take(line[mark.upperBound...], line: index + 1)
        }
        guard !reader.epochs.isEmpty else { throw .logEmpty }
        guard let method = method ?? reader.method else {
            throw .logSilent(what: "method", option: "--method")
        }
        guard let seed = seed ?? reader.seed else {
            throw .logSilent(what: "seed", option: "--seed")
        }
        let rows = reader.epochs.flatMap { epoch in
            epoch.layers.map { layer in
                Row(
                    method: method, seed: seed, epoch: epoch.number, measurement: layer,
                    accuracy: epoch.accuracy)
            }
        }
        try self.init(rows: rows, from: text)
    }
}

/// Takes the messages of a log in, one after the other.
private struct LogReader {
    /// What stands between a line's time and its message.
    static let mark = " - INFO - "

    struct Epoch {
        /// Counted from 1.
        var number: Int
        var accuracy: Double?
        /// In the order in which they are measured.
        var layers: [SALMeasurement] = []

        mutating func put(_ layer: SALMeasurement) {
            if let place = layers.firstIndex(where: { $0.layer == layer.layer }) {
                layers[place] = layer
            } else {
                layers.append(layer)
            }
        }
    }

    private(set) var epochs: [Epoch] = []
    private(set) var method: String?
    private(set) var seed: Int?
    private var open: Epoch?
    private var accuracy: Double?
    private var number: Int?

    mutating func take(_ message: Substring, line: Int) throws(ImportedSALError) {
        if message.hasPrefix("Namespace(") { takeSettings(message) }
        let words = message.split(whereSeparator: \.isWhitespace)
        if words.starts(with: ["Test", "Acc:"]), words.count == 3 {
            accuracy = try percent(words[2], "Test Acc", line)
        } else if words.first == "epoch:", words.count == 2 {
            number = Int(words[1])
        } else if words.first == "Origin" {
            // The program counts epochs from 0.
            open = Epoch(number: number.map { $0 + 1 } ?? epochs.count + 1, accuracy: accuracy)
            (accuracy, number) = (nil, nil)
        } else if words.count == 17, words[1] == "L:" {
            let layer = try measurement(words, line)
            open?.put(layer)
        } else if message.contains("Sharpness_loss:"), let epoch = open {
            if !epoch.layers.isEmpty { epochs.append(epoch) }
            open = nil
        }
    }

    /// Reads the settings that the program was started with, as Python prints them.
    private mutating func takeSettings(_ message: Substring) {
        var values: [Substring: String] = [:]
        for setting in message.dropFirst("Namespace(".count).split(separator: ", ") {
            let parts = setting.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            values[parts[0]] = parts[1].filter { !"')\"".contains($0) }
        }
        method = values["clean"] == "True" ? "clean" : values["type"]
        seed = values["seed"].flatMap { Int($0) }.flatMap {
            (0...ImportedSAL.seedMax).contains($0) ? $0 : nil
        }
    }

    /// Reads `conv1.weight L: 0.5 Acc: 98.1 S: 0.2 SMax: 0.2 SMin: 0.1 Dropped Acc: 3.0 Rise Acc: 1.0`.
    private func measurement(
        _ words: [Substring], _ line: Int
    ) throws(ImportedSALError) -> SALMeasurement {
        let name = words[0].hasSuffix(".weight") ? words[0].dropLast(7) : words[0]
        let sal = try number(words[6], "S", line)
        let drop = try number(words[13], "Dropped Acc", line)
        let rise = try number(words[16], "Rise Acc", line)
        return SALMeasurement(
            layer: String(name), weightCount: 0, weightNorm: .nan,
            originLoss: try number(words[2], "L", line),
            originAccuracy: try number(words[4], "Acc", line) / 100, down: SALWalk(),
            up: SALWalk(), sMax: try number(words[8], "SMax", line),
            sMin: try number(words[10], "SMin", line), sal: sal,
            salAccuracy: max(drop, rise) / 100, flag: sal.isFinite ? nil : "diverged",
            forwardEquivalents: 0)
    }

    /// A number as Python prints it; infinities count as none.
    private func number(
        _ word: Substring, _ name: String, _ line: Int
    ) throws(ImportedSALError) -> Double {
        guard let number = Double(word) else {
            throw .value(line: line, column: name, value: "\"\(word)\"", right: "it is a number")
        }
        return number.isFinite ? number : .nan
    }

    private func percent(
        _ word: Substring, _ name: String, _ line: Int
    ) throws(ImportedSALError) -> Double {
        let value = try number(word, name, line)
        guard (0...100).contains(value) else {
            throw .value(line: line, column: name, value: "\(word)", right: "it is 0 to 100")
        }
        return value / 100
    }
}
