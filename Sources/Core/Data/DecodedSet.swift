import Foundation

/// A data set's decoded images as they lie on disk. Pixels are mapped rather than read: all
/// processes of a machine share one copy, and only images that are asked for take memory.
struct DecodedSet: Sendable {
    /// What the images are, whichever file they came from.
    struct Shape: Codable, Hashable {
        var channels: Int
        var height: Int
        var width: Int
        var classCount: Int

        var pixelsPerImage: Int { channels * height * width }
    }

    /// Training or test images.
    struct Part: Sendable {
        let labels: [Int32]
        /// The whole array file; images begin at `start`.
        let file: Data
        let start: Int
    }

    /// The data set's digest.
    let content: Digest
    let shape: Shape
    let train: Part
    let test: Part

    func part(_ part: DataSet.Part) -> Part { part == .train ? train : test }

    /// The images at these positions of a part, which must be there.
    func images(_ name: DataSet.Part, at positions: [Int]) -> ImageSet {
        let part = part(name)
        let size = shape.pixelsPerImage
        var pixels: [UInt8] = []
        pixels.reserveCapacity(positions.count * size)
        part.file.withUnsafeBytes { bytes in
            for position in positions {
                precondition(
                    part.labels.indices.contains(position),
                    "image \(position) of \(part.labels.count)")
                let first = part.start + position * size
                pixels += bytes[first..<(first + size)]
            }
        }
        return ImageSet(
            channels: shape.channels, height: shape.height, width: shape.width,
            classCount: shape.classCount, pixels: pixels,
            labels: positions.map { part.labels[$0] }, indices: positions)
    }
}
