public import FathomCore
import FathomPage
import Foundation

/// Some images of every poison, before and after.
public struct ReportGallery: Sendable {
    /// The images of one poison.
    public struct Entry: Sendable {
        public var method: String
        public var dataSet: String
        public var seed: Int
        /// Why there are no images; `nil`: there are.
        public var problem: String?
        public var strips: GalleryStrips?

        public init(
            method: String, dataSet: String, seed: Int, strips: GalleryStrips? = nil,
            problem: String? = nil
        ) {
            self.method = method
            self.dataSet = dataSet
            self.seed = seed
            self.strips = strips
            self.problem = problem
        }
    }

    public var entries: [Entry]
    /// How many poisons are not shown.
    public var hiddenCount: Int

    public init(_ entries: [Entry] = [], hiddenCount: Int = 0) {
        self.entries = entries
        self.hiddenCount = hiddenCount
    }
}

/// Images in a row, once clean, once poisoned, and what changed between the two, magnified.
public struct GalleryStrips: Sendable {
    public let clean: PNGFile
    public let poisoned: PNGFile
    public let difference: PNGFile
    /// By how much the difference is multiplied.
    public let gain: Double
    /// The largest change of a pixel among these images, in pixels of 0...1.
    public let largestChange: Double
    /// How many of these images carry another label than before.
    public let labelsChanged: Int
    public let count: Int

    /// - Parameters:
    ///   - clean: Images as they were.
    ///   - poisoned: The same images, in the same order.
    public init(clean: ImageSet, poisoned: ImageSet) {
        precondition(
            clean.pixels.count == poisoned.pixels.count && clean.count > 0,
            "\(clean.count) clean images beside \(poisoned.count) poisoned ones")
        let changes = zip(clean.pixels, poisoned.pixels).map { Int($1) - Int($0) }
        let largest = changes.reduce(0) { max($0, abs($1)) }
        largestChange = Double(largest) / 255
        gain = largest == 0 ? 1 : min(32, 127 / Double(largest))
        let gain = gain
        self.clean = GalleryStrips.strip(clean, clean.pixels)
        self.poisoned = GalleryStrips.strip(poisoned, poisoned.pixels)
        difference = GalleryStrips.strip(
            clean, changes.map { UInt8(min(255, max(0, (128 + gain * Double($0)).rounded()))) })
        labelsChanged = zip(clean.labels, poisoned.labels).count { $0 != $1 }
        count = clean.count
    }

    /// Images side by side with a gap of two pixels, gray or in colour.
    private static func strip(_ images: ImageSet, _ pixels: [UInt8]) -> PNGFile {
        let gap = 2
        let isGray = images.channels != 3
        let channels = isGray ? 1 : 3
        let width = images.count * (images.width + gap) - gap
        let plane = images.height * images.width
        var bytes = [UInt8](repeating: 255, count: width * images.height * channels)
        for image in 0..<images.count {
            for row in 0..<images.height {
                for column in 0..<images.width {
                    let place = row * width + image * (images.width + gap) + column
                    let pixel = row * images.width + column
                    for channel in 0..<channels {
                        bytes[place * channels + channel] =
                            pixels[image * images.pixelsPerImage + channel * plane + pixel]
                    }
                }
            }
        }
        return PNGFile(
            width: width, height: images.height, color: isGray ? .gray : .rgb,
            samples: .bytes(bytes))
    }
}

extension ReportPage {
    /// What the treatments look like.
    var galleryOfImages: Markup {
        guard !gallery.entries.isEmpty else { return .nothing }
        return Markup(
            joining: [
                Markup("p") {
                    "Training images before and after. The third row is what was added, magnified "
                    "until its largest change spans half of the grey scale; grey means no change."
                },
                Markup("div", ["class": "gallery panels"]) {
                    for entry in gallery.entries { picture(entry) }
                },
                gallery.hiddenCount > 0
                    ? Markup("p", ["class": "soft"]) {
                        "\(Numeral.count(gallery.hiddenCount)) more are not shown; fathom poison "
                        "export writes any of them."
                    } : .nothing,
            ])
    }

    private func picture(_ entry: ReportGallery.Entry) -> Markup {
        Markup("figure") {
            Markup("figcaption") {
                Markup("strong") { entry.method }
                Markup("span", ["class": "caption"]) {
                    "\(entry.dataSet), seed \(entry.seed)" + (entry.strips.map(facts) ?? "")
                }
            }
            if let strips = entry.strips {
                Markup("div", ["class": "strip"]) {
                    row("clean", strips.clean, entry.method)
                    row("poisoned", strips.poisoned, entry.method)
                    row("×\(Numeral.short(strips.gain))", strips.difference, entry.method)
                }
            } else {
                Markup("p", ["class": "verdict warn"]) {
                    entry.problem ?? "There are no images."
                }
            }
        }
    }

    private func facts(_ strips: GalleryStrips) -> String {
        let change =
            strips.largestChange == 0
            ? "; no pixel changes"
            : "; largest change of a pixel "
                + "\(Numeral.fixed(strips.largestChange * 255, 0))/255"
        return change
            + (strips.labelsChanged > 0
                ? "; \(strips.labelsChanged) of \(strips.count) carry another label" : "")
    }

    private func row(_ name: String, _ file: PNGFile, _ method: String) -> Markup {
        Markup(
            joining: [
                Markup("span") { name },
                Markup(
                    "img",
                    [
                        "src": "data:image/png;base64,"
                            + Data(file.encoded()).base64EncodedString(),
                        "alt": "\(method): \(name)", "width": "\(file.width)",
                        "height": "\(file.height)",
                    ]),
            ])
    }
}
