/// The median of each pixel's 3x3 neighbourhood, which single odd pixels do not survive: the
/// natural counter to one-pixel shortcuts.
struct MedianDefense: DataSetDefense {
    let name = "median"
    let revision = 1
    let summary = "the median of each 3x3 neighbourhood"
    let parameters = [TestImages.parameter]

    func rewriting(
        _ settings: DefenseSettings, fittedTo images: ImageSet, random: RandomStream
    ) -> any ImageRewriting { Rewriting() }

    private struct Rewriting: ImageRewriting {
        func rewritten(_ images: ImageSet) -> ImageSet {
            var filtered = images
            let (height, width) = (images.height, images.width)
            var nine: [UInt8] = []
            for plane in stride(from: 0, to: images.pixels.count, by: height * width) {
                for row in 0..<height {
                    for column in 0..<width {
                        nine.removeAll(keepingCapacity: true)
                        for near in (row - 1)...(row + 1) {
                            let start = plane + Reflection.inside(near, height) * width
                            for beside in (column - 1)...(column + 1) {
                                let from = start + Reflection.inside(beside, width)
                                nine.append(images.pixels[from])
                            }
                        }
                        nine.sort()
                        filtered.pixels[plane + row * width + column] = nine[4]
                    }
                }
            }
            return filtered
        }
    }
}
