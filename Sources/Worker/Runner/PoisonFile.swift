import FathomCore
import FathomProtocol

/// A poison as an artifact: 8-bit images `[N, C, H, W]` and labels `[N]` in one safetensors file.
enum PoisonFile {
    static func encoded(_ images: ImageSet) -> [UInt8] {
        var file = SafetensorsFile(metadata: ["format": "fathom-poison-1"])
        file.set(
            "images",
            to: StoredArray(
                shape: [images.count, images.channels, images.height, images.width],
                values: .uint8(images.pixels)))
        file.set(
            "labels", to: StoredArray(shape: [images.count], values: .int32(images.labels)))
        return file.encoded()
    }

    static func read(_ path: String, clean: ImageSet) throws -> ImageSet {
        let file = try SafetensorsFile(path: path)
        guard let pixels = file["images"]?.bytes, let labels = file["labels"]?.integers,
            pixels.count == clean.pixels.count, labels.count == clean.count,
            labels.allSatisfy({ (0..<clean.classCount).contains($0) })
        else {
            throw RunnerError.artifactMisfits(
                "poison", reason: "it does not hold \(clean.count) images of this data set")
        }
        var images = clean
        images.pixels = pixels
        images.labels = labels.map { Int32($0) }
        return images
    }
}
