import Foundation

/// How likely each class of an image is, and by which loss that is learned.
public struct ShareTarget: Sendable {
    public enum Loss: Sendable {
        /// `-sum q log softmax z`.
        case crossEntropy
        /// The mean over classes of `(z - q)²`, of predictions as they are.
        case square
    }

    /// `[images][classes]`.
    public var values: [Float]
    /// The class of every image, which predictions are judged by.
    public var labels: [Int32]
    public var loss: Loss

    public init(values: [Float], labels: [Int32], loss: Loss) {
        self.values = values
        self.labels = labels
        self.loss = loss
    }
}

extension Losses {
    /// The loss of predictions `[images][classes]` against a share of every class. The gradient is
    /// that of the batch's mean times `weight`. Of an image that is mixed with another both losses
    /// count by their shares, and it counts as classified rightly by the class with the larger.
    static func shares(
        _ prediction: Tensor, classes: Int, target: ShareTarget, _ items: ArraySlice<BatchItem>,
        weight: Float, gradient: Tensor?
    ) -> LossSum {
        var sum = LossSum()
        let scale = Double(weight) / Double(max(1, items.count))
        for (place, item) in items.enumerated() {
            let row = prediction.pointer + place * classes
            let (top, logSum) = logSumOfExponentials(row, classes)
            let parts = [(item.image, 1 - Double(item.share)), (item.partner, Double(item.share))]
            if let gradient {
                for index in 0..<classes { gradient.pointer[place * classes + index] = 0 }
            }
            for (image, part) in parts where part > 0 {
                sum.loss += part * imageLoss(row, classes, target, image, logSum)
                guard let gradient else { continue }
                let out = gradient.pointer + place * classes
                addSlope(row, classes, target, image, logSum, part * scale, to: out)
            }
            let judged = item.share > 0.5 ? item.partner : item.image
            sum.correct += top == Int(target.labels[judged]) ? 1 : 0
            sum.count += 1
        }
        return sum
    }

    /// The loss of one row of predictions by itself.
    static func shares(
        _ prediction: Tensor, classes: Int, row: Int, target: ShareTarget, image: Int
    ) -> Double {
        let numbers = prediction.pointer + row * classes
        return imageLoss(
            numbers, classes, target, image, logSumOfExponentials(numbers, classes).logSum)
    }

    private static func imageLoss(
        _ row: UnsafeMutablePointer<Float>, _ classes: Int, _ target: ShareTarget, _ image: Int,
        _ logSum: Double
    ) -> Double {
        var loss = 0.0
        for index in 0..<classes {
            let share = Double(target.values[image * classes + index])
            let number = Double(row[index])
            switch target.loss {
            case .crossEntropy: loss += share * (logSum - number)
            case .square: loss += (number - share) * (number - share) / Double(classes)
            }
        }
        return loss
    }

    /// Adds the loss's slope, times `scale`, to what is there.
    private static func addSlope(
        _ row: UnsafeMutablePointer<Float>, _ classes: Int, _ target: ShareTarget, _ image: Int,
        _ logSum: Double, _ scale: Double, to out: UnsafeMutablePointer<Float>
    ) {
        let shares = target.values[(image * classes)..<((image + 1) * classes)]
        let total = shares.reduce(0.0) { $0 + Double($1) }
        for (index, share) in shares.enumerated() {
            let number = Double(row[index])
            let slope =
                switch target.loss {
                case .crossEntropy: total * exp(number - logSum) - Double(share)
                case .square: 2 * (number - Double(share)) / Double(classes)
                }
            out[index] += Float(slope * scale)
        }
    }
}
