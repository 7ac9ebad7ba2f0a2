/// Segments that colors alone decide: what a thief without ground truth can teach `seg2d` with.
///
/// As Taskonomy makes them: superpixels of a graph (Felzenszwalb and Huttenlocher, 2004), then
/// merged by normalized cuts on their mean colors. Lengths are scaled from its 512 pixels.
enum PixelSegments {
    /// Segments of each image by first appearance, row after row, `[images][height][width]`; 255
    /// beyond the 255th of an image.
    static func numbered(_ images: ImageSet) -> [UInt8] {
        let plane = images.height * images.width
        var result: [UInt8] = []
        result.reserveCapacity(images.count * plane)
        for image in 0..<images.count {
            let colors = colors(images, image)
            let pixels = Superpixels(
                colors: colors, height: images.height, width: images.width
            ).labels
            let cut = NormalizedCut(
                labels: pixels, colors: colors, height: images.height, width: images.width)
            result += renumbered(pixels.map { cut.segments[$0] })
        }
        return result
    }

    /// Red, green and blue of each pixel on 0...255.
    private static func colors(_ images: ImageSet, _ image: Int) -> [SIMD3<Double>] {
        let plane = images.height * images.width
        let start = image * images.pixelsPerImage
        return (0..<plane).map { pixel in
            func level(_ channel: Int) -> Double {
                Double(images.pixels[start + min(channel, images.channels - 1) * plane + pixel])
            }
            return SIMD3(level(0), level(1), level(2))
        }
    }

    /// Numbers by first appearance.
    static func renumbered(_ labels: [Int]) -> [UInt8] {
        var numbers: [Int: UInt8] = [:]
        return labels.map { label in
            if let known = numbers[label] { return known }
            let next = UInt8(min(numbers.count, 255))
            numbers[label] = next
            return next
        }
    }
}

/// Felzenszwalb's superpixels: neighbouring pixels are joined in the order of their difference, as
/// long as it is small against what already differs within both sides.
struct Superpixels {
    /// A number of its own for every superpixel, from 0.
    let labels: [Int]

    /// Taskonomy's blur and scale at 512 pixels, and the least size scikit-image has.
    private static let blurAt512 = 3.0
    private static let scale = 200.0
    private static let smallestAt512 = 20.0

    init(colors: [SIMD3<Double>], height: Int, width: Int) {
        let ratio = Double(height) / 512
        let smooth = Superpixels.blurred(
            colors, height, width, sigma: Superpixels.blurAt512 * ratio)
        let edges = Superpixels.edges(smooth, height, width)
        // What scale is divided by are pixels, of which there are fewer on a smaller image.
        let scale = Superpixels.scale * ratio
        var forest = DisjointSets(count: colors.count)
        var within = [Double](repeating: 0, count: colors.count)
        for edge in edges {
            let (first, second) = (forest.root(edge.first), forest.root(edge.second))
            guard first != second else { continue }
            let allowed = min(
                within[first] + scale / Double(forest.size(first)),
                within[second] + scale / Double(forest.size(second)))
            guard edge.weight <= allowed else { continue }
            within[forest.join(first, second)] = edge.weight
        }
        let smallest = max(2, Int(Superpixels.smallestAt512 * ratio))
        for edge in edges {
            let (first, second) = (forest.root(edge.first), forest.root(edge.second))
            guard first != second, min(forest.size(first), forest.size(second)) < smallest
            else { continue }
            _ = forest.join(first, second)
        }
        var numbers: [Int: Int] = [:]
        labels = colors.indices.map { pixel in
            let root = forest.root(pixel)
            let number = numbers[root] ?? numbers.count
            numbers[root] = number
            return number
        }
    }

    private struct Edge {
        var first: Int
        var second: Int
        var weight: Double
    }

    /// Every pixel with its eight neighbours, the most alike first; ties in raster order.
    private static func edges(_ colors: [SIMD3<Double>], _ height: Int, _ width: Int) -> [Edge] {
        var edges: [Edge] = []
        for row in 0..<height {
            for column in 0..<width {
                for (down, across) in [(0, 1), (1, 0), (1, 1), (1, -1)] {
                    guard row + down < height, (0..<width).contains(column + across) else {
                        continue
                    }
                    let first = row * width + column
                    let second = first + down * width + across
                    let apart = colors[first] - colors[second]
                    edges.append(
                        Edge(
                            first: first, second: second,
                            weight: (apart * apart).sum().squareRoot()))
                }
            }
        }
        let order = edges.indices.sorted {
            (edges[$0].weight, $0) < (edges[$1].weight, $1)
        }
        return order.map { edges[$0] }
    }

    private static func blurred(
        _ colors: [SIMD3<Double>], _ height: Int, _ width: Int, sigma: Double
    ) -> [SIMD3<Double>] {
        let kernel = Kernel1D.gaussian(sigma: sigma)
        let planes = (0..<3).map { channel in
            ImageFilters.separable(
                colors.map { $0[channel] }, height, width, kernel, kernel, border: .replicate)
        }
        return colors.indices.map { SIMD3(planes[0][$0], planes[1][$0], planes[2][$0]) }
    }
}

/// Sets that are joined two by two.
private struct DisjointSets {
    private var parents: [Int]
    private var sizes: [Int]

    init(count: Int) {
        parents = Array(0..<count)
        sizes = [Int](repeating: 1, count: count)
    }

    mutating func root(_ member: Int) -> Int {
        var place = member
        while parents[place] != place {
            parents[place] = parents[parents[place]]
            place = parents[place]
        }
        return place
    }

    func size(_ root: Int) -> Int { sizes[root] }

    /// Joins two roots and answers the root of both.
    mutating func join(_ first: Int, _ second: Int) -> Int {
        let (large, small) =
            sizes[first] >= sizes[second] ? (first, second) : (second, first)
        parents[small] = large
        sizes[large] += sizes[small]
        return large
    }
}
