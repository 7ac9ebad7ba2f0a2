import Foundation

/// What a batch's prediction was worth: sums, so that batches add up to a set's mean.
public struct LossSum: Sendable, Hashable {
    /// Sum of the loss over what is counted (images, or pixels kept), in nats for cross-entropies.
    public var loss = 0.0
    /// Images (or pixels) classified rightly.
    public var correct = 0
    /// Images (or pixels) counted.
    public var count = 0
    /// What the loss is a sum over where classes weigh differently; 0: `count` is.
    public var mass = 0.0

    public init() {}

    public static func += (left: inout LossSum, right: LossSum) {
        left.loss += right.loss
        left.correct += right.correct
        left.count += right.count
        left.mass += right.mass
    }

    /// The mean loss; 0 when nothing was counted.
    public var mean: Double { loss / (mass > 0 ? mass : Double(max(1, count))) }
    /// The share classified rightly, 0...1.
    public var accuracy: Double { Double(correct) / Double(max(1, count)) }
}

/// Losses of a prediction against a target; each writes its gradient where it is asked to.
enum Losses {
    /// Cross-entropy of logits `[images][classes]` with class labels. The gradient is that of the
    /// batch's mean times `weight`. Ties in accuracy go to the lowest class.
    static func crossEntropy(
        _ logits: Tensor, classes: Int, labels: UnsafeBufferPointer<Int32>, weight: Float = 1,
        gradient: Tensor?
    ) -> LossSum {
        var sum = LossSum()
        let images = logits.count / classes
        precondition(labels.count == images, "\(labels.count) labels for \(images) images")
        let scale = weight / Float(images)
        for image in 0..<images {
            let row = logits.pointer + image * classes
            let label = Int(labels[image])
            let (top, logSum) = logSumOfExponentials(row, classes)
            sum.loss += logSum - Double(row[label])
            sum.correct += top == label ? 1 : 0
            sum.count += 1
            guard let gradient else { continue }
            let out = gradient.pointer + image * classes
            for index in 0..<classes {
                let share = Float(exp(Double(row[index]) - logSum))
                out[index] = (index == label ? share - 1 : share) * scale
            }
        }
        return sum
    }

    /// The same with the labels in an array.
    static func crossEntropy(
        _ logits: Tensor, classes: Int, labels: [Int32], weight: Float = 1, gradient: Tensor?
    ) -> LossSum {
        labels.withUnsafeBufferPointer {
            crossEntropy(logits, classes: classes, labels: $0, weight: weight, gradient: gradient)
        }
    }

    /// The cross-entropy of one row of logits.
    static func crossEntropy(
        _ logits: Tensor, classes: Int, row: Int, label: Int32
    ) -> Double {
        let numbers = logits.pointer + row * classes
        return logSumOfExponentials(numbers, classes).logSum - Double(numbers[Int(label)])
    }

    /// Turns the cross-entropy of images' own classes into (1 - share) times it plus share times
    /// that of their partners' classes; what is not mixed keeps its bits. An image counts as
    /// classified rightly by the class with the larger share.
    static func mix(
        _ logits: Tensor, classes: Int, labels: [Int32], _ items: ArraySlice<BatchItem>,
        weight: Float, sum: inout LossSum, gradient: Tensor?
    ) {
        let scale = weight / Float(max(1, items.count))
        for (place, item) in items.enumerated() where item.share > 0 {
            let row = logits.pointer + place * classes
            let (own, other) = (Int(labels[item.image]), Int(labels[item.partner]))
            sum.loss += Double(item.share) * (Double(row[own]) - Double(row[other]))
            if item.share > 0.5 {
                let (top, _) = logSumOfExponentials(row, classes)
                sum.correct += (top == other ? 1 : 0) - (top == own ? 1 : 0)
            }
            guard let gradient else { continue }
            let out = gradient.pointer + place * classes
            out[own] += item.share * scale
            out[other] -= item.share * scale
        }
    }

    /// Answers the place of the largest (the lowest of equals) and log(sum(exp)).
    static func logSumOfExponentials(
        _ row: UnsafeMutablePointer<Float>, _ count: Int
    ) -> (top: Int, logSum: Double) {
        var top = 0
        for index in 1..<max(1, count) where row[index] > row[top] { top = index }
        let largest = Double(row[top])
        var total = 0.0
        for index in 0..<count { total += exp(Double(row[index]) - largest) }
        return (top, largest + log(total))
    }

    /// Cross-entropy at every pixel of planes `[classes][images][plane]`; label 255 is left out.
    /// The gradient is that of the mean over the pixels kept, each as heavy as its class.
    ///
    /// - Parameter classWeights: How much a pixel of each class counts; `nil`: all count 1.
    static func pixelCrossEntropy(
        _ logits: Tensor, classes: Int, labels: UnsafeBufferPointer<UInt8>,
        classWeights: [Float]? = nil, weight: Float = 1, gradient: Tensor?
    ) -> LossSum {
        let pixels = logits.count / classes
        precondition(labels.count == pixels, "\(labels.count) labels for \(pixels) pixels")
        var sum = LossSum()
        let kept = labels.reduce(0) { $0 + ($1 == 255 ? 0 : 1) }
        if let classWeights {
            for label in labels where label != 255 { sum.mass += Double(classWeights[Int(label)]) }
        }
        let scale = weight / Float(sum.mass > 0 ? sum.mass : Double(max(1, kept)))
        if let gradient { Kernels.clear(gradient) }
        var column = [Float](repeating: 0, count: classes)
        for pixel in 0..<pixels where labels[pixel] != 255 {
            for index in 0..<classes { column[index] = logits.pointer[index * pixels + pixel] }
            let label = Int(labels[pixel])
            let (top, logSum) = column.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.map { logSumOfExponentials($0, classes) } ?? (0, 0)
            }
            let heft = classWeights?[label] ?? 1
            sum.loss += (logSum - Double(column[label])) * Double(heft)
            sum.correct += top == label ? 1 : 0
            sum.count += 1
            guard let gradient else { continue }
            for index in 0..<classes {
                let share = Float(exp(Double(column[index]) - logSum))
                gradient.pointer[index * pixels + pixel] =
                    (index == label ? share - 1 : share) * (scale * heft)
            }
        }
        return sum
    }

    /// The same with the labels in an array.
    static func pixelCrossEntropy(
        _ logits: Tensor, classes: Int, labels: [UInt8], classWeights: [Float]? = nil,
        weight: Float = 1, gradient: Tensor?
    ) -> LossSum {
        labels.withUnsafeBufferPointer {
            pixelCrossEntropy(
                logits, classes: classes, labels: $0, classWeights: classWeights, weight: weight,
                gradient: gradient)
        }
    }

    /// Masked mean of |prediction - target| over planes; `mask` has one number a pixel. Counted
    /// are kept pixels times channels.
    static func maskedL1(
        _ prediction: Tensor, target: Tensor, mask: Tensor, channels: Int, weight: Float = 1,
        gradient: Tensor?
    ) -> LossSum {
        let pixels = prediction.count / channels
        precondition(mask.count == pixels, "\(mask.count) mask places for \(pixels) pixels")
        var kept = 0.0
        for pixel in 0..<pixels { kept += Double(mask.pointer[pixel]) }
        var sum = LossSum()
        sum.count = Int(kept) * channels
        let scale = weight / Float(max(1, kept * Double(channels)))
        for channel in 0..<channels {
            for pixel in 0..<pixels {
                let place = channel * pixels + pixel
                let difference = prediction.pointer[place] - target.pointer[place]
                let keep = mask.pointer[pixel]
                sum.loss += Double(abs(difference) * keep)
                let sign: Float = difference > 0 ? 1 : (difference < 0 ? -1 : 0)
                gradient?.pointer[place] = sign * keep * scale
            }
        }
        return sum
    }

    /// Mean of (prediction - target)² over all numbers.
    static func meanSquare(
        _ prediction: Tensor, target: Tensor, weight: Float = 1, gradient: Tensor?
    ) -> LossSum {
        var sum = LossSum()
        sum.count = prediction.count
        let scale = 2 * weight / Float(max(1, prediction.count))
        for place in 0..<prediction.count {
            let difference = prediction.pointer[place] - target.pointer[place]
            sum.loss += Double(difference) * Double(difference)
            gradient?.pointer[place] = difference * scale
        }
        return sum
    }

    /// Mean of (prediction - target)² over planes; `mask` as of `maskedL1`.
    static func maskedSquare(
        _ prediction: Tensor, target: Tensor, mask: Tensor, channels: Int, weight: Float = 1,
        gradient: Tensor?
    ) -> LossSum {
        let pixels = prediction.count / channels
        var sum = LossSum()
        sum.count = kept(mask, pixels: pixels) * channels
        let scale = 2 * weight / Float(max(1, sum.count))
        for place in 0..<prediction.count {
            let difference = prediction.pointer[place] - target.pointer[place]
            let keep = mask.pointer[place % pixels]
            sum.loss += Double(difference) * Double(difference) * Double(keep)
            gradient?.pointer[place] = difference * keep * scale
        }
        return sum
    }

    static func kept(_ mask: Tensor, pixels: Int) -> Int {
        precondition(mask.count == pixels, "\(mask.count) mask places for \(pixels) pixels")
        return (0..<pixels).reduce(0) { $0 + (mask.pointer[$1] == 0 ? 0 : 1) }
    }

    /// Mean over pixels of 1 - cos(prediction, target), vectors along the channels; lengths are
    /// floored at `stabilizer`, each on its own as PyTorch does. Only pixels that `mask` keeps
    /// count.
    static func oneMinusCosine(
        _ prediction: Tensor, target: Tensor, mask: Tensor? = nil, channels: Int,
        stabilizer: Double, weight: Float = 1, gradient: Tensor?
    ) -> LossSum {
        let pixels = prediction.count / channels
        var sum = LossSum()
        sum.count = mask.map { kept($0, pixels: pixels) } ?? pixels
        let scale = Double(weight) / Double(max(1, sum.count))
        if mask != nil, let gradient { Kernels.clear(gradient) }
        for pixel in 0..<pixels where mask.map({ $0.pointer[pixel] != 0 }) ?? true {
            var product = 0.0
            var own = 0.0
            var other = 0.0
            for channel in 0..<channels {
                let p = Double(prediction.pointer[channel * pixels + pixel])
                let t = Double(target.pointer[channel * pixels + pixel])
                product += p * t
                own += p * p
                other += t * t
            }
            let length = max(own.squareRoot(), stabilizer)
            let otherLength = max(other.squareRoot(), stabilizer)
            let cosine = product / (length * otherLength)
            sum.loss += 1 - cosine
            guard let gradient else { continue }
            for channel in 0..<channels {
                let place = channel * pixels + pixel
                let p = Double(prediction.pointer[place])
                let t = Double(target.pointer[place])
                let slope = t / (length * otherLength) - cosine * p / (length * length)
                gradient.pointer[place] = Float(-slope * scale)
            }
        }
        return sum
    }
}
