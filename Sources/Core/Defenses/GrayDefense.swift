/// Grey levels in place of colours: what only one channel carries is diluted, what colours alone
/// carry is gone (arXiv 2301.13838).
struct GrayDefense: DataSetDefense {
    let name = "gray"
    let revision = 1
    let summary = "grey levels in place of colours"
    let parameters = [TestImages.parameter]

    func reasonUnfit(shape: ImageShape) -> String? {
        shape.channels == 3 ? nil : "gray needs 3 channels, and the images have \(shape.channels)"
    }

    func rewriting(
        _ settings: DefenseSettings, fittedTo images: ImageSet, random: RandomStream
    ) -> any ImageRewriting { Rewriting() }

    private struct Rewriting: ImageRewriting {
        /// The luma of ITU-R BT.601 in 16-bit fixed point, in all three channels.
        func rewritten(_ images: ImageSet) -> ImageSet {
            var gray = images
            let plane = images.height * images.width
            for start in stride(from: 0, to: images.pixels.count, by: 3 * plane) {
                for red in start..<(start + plane) {
                    let (green, blue) = (red + plane, red + 2 * plane)
                    let sum =
                        19_595 * Int(images.pixels[red]) + 38_470 * Int(images.pixels[green])
                        + 7_471 * Int(images.pixels[blue])
                    let level = UInt8((sum + 32_768) >> 16)
                    gray.pixels[red] = level
                    gray.pixels[green] = level
                    gray.pixels[blue] = level
                }
            }
            return gray
        }
    }
}
