/// JPEG at a low quality, which throws away the small and the fine (arXiv 2301.13838).
struct JPEGDefense: DataSetDefense {
    let name = "jpeg"
    let revision = 1
    let summary = "JPEG compression and back"
    let parameters = [
        MethodParameter(
            name: "quality", kind: .number(default: 10, range: 1...100, whole: true),
            meaning: "JPEG's quality"),
        TestImages.parameter,
    ]

    func reasonUnfit(shape: ImageShape) -> String? { JPEGCodec.reasonUnfit(shape) }

    func rewriting(
        _ settings: DefenseSettings, fittedTo images: ImageSet, random: RandomStream
    ) -> any ImageRewriting { Rewriting(quality: Int(settings.number("quality"))) }

    private struct Rewriting: ImageRewriting {
        let quality: Int

        func rewritten(_ images: ImageSet) -> ImageSet {
            var compressed = images
            let codec = JPEGCodec(shape: images.shape)
            for image in 0..<images.count {
                let place = image * images.pixelsPerImage
                codec.roundTrip(&compressed.pixels, from: place, quality: quality)
            }
            return compressed
        }
    }
}
