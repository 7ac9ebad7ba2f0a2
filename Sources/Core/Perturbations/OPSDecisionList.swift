/// Reads keys back from poisoned images by the recorded pixels alone, the lowest key first.
struct OPSDecisionList {
    let pixels: [Int32: [OPSPixel]]

    struct Reading {
        /// The share of images whose own key is the first that fits.
        var accuracy: Double
        /// How many images also fit another key, because they had its pixel's colour all along.
        var ties: Double
    }

    /// Reads what `images`, clean here, become under their keys.
    func read(_ images: ImageSet, keys: [Int32]) -> Reading {
        let rules = pixels.sorted { $0.key < $1.key }
        var right = 0
        var ties = 0
        for (image, key) in keys.enumerated() {
            let fitting = rules.filter { rule in
                rule.key == key || fits(rule.value, images, image, own: pixels[key] ?? [])
            }
            if fitting.first?.key == key { right += 1 }
            if fitting.count > 1 { ties += 1 }
        }
        return Reading(accuracy: Double(right) / Double(keys.count), ties: Double(ties))
    }

    /// Whether an image, once its own pixels are set, shows all of another key's pixels.
    private func fits(
        _ wanted: [OPSPixel], _ images: ImageSet, _ image: Int, own: [OPSPixel]
    ) -> Bool {
        wanted.allSatisfy { pixel in
            if let set = own.first(where: { $0.position == pixel.position }) {
                return set.colour == pixel.colour
            }
            return (0..<images.channels).allSatisfy { channel in
                let at = image * images.pixelsPerImage + channel * images.shape.positions
                return images.pixels[at + pixel.position] == UInt8(255 * pixel.level(channel))
            }
        }
    }

    /// `key@row,column=colour` for every pixel, a digit of colour for each channel.
    func text(width: Int, channels: Int) -> String {
        pixels.sorted { $0.key < $1.key }.flatMap { key, pixels in
            pixels.map { pixel in
                let colour = (0..<channels).map { pixel.level($0) == 1 ? "1" : "0" }.joined()
                return "\(key)@\(pixel.position / width),\(pixel.position % width)=\(colour)"
            }
        }.joined(separator: " ")
    }
}
