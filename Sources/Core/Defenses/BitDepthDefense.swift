/// Fewer bits a pixel: small perturbations fall below the lowest bit that is kept.
struct BitDepthDefense: DataSetDefense {
    let name = "bdr"
    let revision = 1
    let summary = "bit depth reduction: only the highest bits of each pixel are kept"
    let parameters = [
        MethodParameter(
            name: "bits", kind: .number(default: 2, range: 1...8, whole: true),
            meaning: "bits of a pixel that are kept, the highest"),
        TestImages.parameter,
    ]

    func rewriting(
        _ settings: DefenseSettings, fittedTo images: ImageSet, random: RandomStream
    ) -> any ImageRewriting {
        Rewriting(mask: UInt8(truncatingIfNeeded: 0xFF << (8 - Int(settings.number("bits")))))
    }

    private struct Rewriting: ImageRewriting {
        let mask: UInt8

        /// What is cut off is not made up for, so that images get darker, as in the source.
        func rewritten(_ images: ImageSet) -> ImageSet {
            var reduced = images
            for place in reduced.pixels.indices { reduced.pixels[place] &= mask }
            return reduced
        }
    }
}
