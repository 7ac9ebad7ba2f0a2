/// Casts the rays of one scene's image.
struct RoomsPainter {
    let scene: RoomsScene
    let side: Int
    private let traced: [TracedObject]
    private let eye: Vector3
    private let forward: Vector3
    private let right: Vector3
    private let up: Vector3

    init(_ scene: RoomsScene, side: Int) {
        func vector(_ values: [Float]) -> Vector3 { Vector3(values[0], values[1], values[2]) }
        self.scene = scene
        self.side = side
        eye = vector(scene.camera.eye)
        forward = vector(scene.camera.forward)
        right = vector(scene.camera.right)
        up = vector(scene.camera.up)
        var traced = scene.objects.map { TracedObject($0) }
        for index in traced.indices {
            let (columns, rows) = RoomsPainter.window(traced[index], scene.camera, side: side)
            traced[index].columns = columns
            traced[index].rows = rows
        }
        self.traced = traced
    }

    /// The pixels whose rays can meet an object: a square round its projected centre.
    private static func window(
        _ object: TracedObject, _ camera: RoomsScene.Camera, side: Int
    ) -> (columns: ClosedRange<Int>, rows: ClosedRange<Int>) {
        func along(_ axis: [Float]) -> Float {
            (object.ball.x - camera.eye[0]) * axis[0] + (object.ball.y - camera.eye[1]) * axis[1]
                + (object.ball.z - camera.eye[2]) * axis[2]
        }
        let depth = along(camera.forward)
        let radius = object.ballSquare.squareRoot()
        guard depth - radius >= 0.3 else { return (0...side - 1, 0...side - 1) }
        let focal = Float(side) / (2 * camera.tangent)
        let half = 1.25 * focal * radius / (depth - radius) + 1
        let column = Float(side) / 2 + focal * along(camera.right) / depth
        let row = Float(side) / 2 - focal * along(camera.up) / depth
        return (span(column, half, side), span(row, half, side))
    }

    /// From one pixel to another, cut to the image; the two past its end where none is left.
    private static func span(_ middle: Float, _ half: Float, _ side: Int) -> ClosedRange<Int> {
        let end = Float(side)
        let low = Int(min(max(middle - half, 0), end))
        return low...max(low, Int(min(max(middle + half, -1), end)))
    }

    // MARK: Rays

    /// The direction through a place of the image, in pixels from its upper left corner.
    @inline(__always)
    private func direction(_ column: Float, _ row: Float) -> Vector3 {
        let scale = scene.camera.tangent / Float(side)
        let across = scale * (2 * column - Float(side))
        let upward = scale * (Float(side) - 2 * row)
        return (forward + right * across + up * upward).normalized
    }

    @inline(__always)
    private func candidates(
        _ objects: UnsafeBufferPointer<TracedObject>, _ column: Int, _ row: Int
    ) -> UInt32 {
        var bits: UInt32 = 0
        for index in 0..<objects.count
        where objects[index].columns.contains(column) && objects[index].rows.contains(row) {
            bits |= 1 << UInt32(index)
        }
        return bits
    }

    private func withTracer<Result>(_ body: (RoomsTracer) -> Result) -> Result {
        traced.withUnsafeBufferPointer {
            body(RoomsTracer(scene: scene, eye: eye, objects: $0))
        }
    }

    /// How many pixels' centres see the focal object.
    func focalPixelCount() -> Int {
        withTracer { tracer in
            var count = 0
            for row in traced[0].rows where row < side {
                for column in traced[0].columns where column < side {
                    let d = direction(Float(column) + 0.5, Float(row) + 0.5)
                    let hit = tracer.meet(d, candidates: candidates(tracer.objects, column, row))
                    count += hit.surface == RoomsHit.firstObject ? 1 : 0
                }
            }
            return count
        }
    }

    // MARK: Colors

    /// Paints the image in place `position` of planes: four rays a pixel, one shadow.
    func paint(_ position: Int, into pixels: inout [UInt8], noise: Double) {
        let plane = side * side
        var random = scene.random
        pixels.withUnsafeMutableBufferPointer { pixels in
            let base = pixels.baseAddress.unsafelyUnwrapped + 3 * position * plane
            scene.surfaces.withUnsafeBufferPointer { surfaces in
                withTracer { tracer in
                    for row in 0..<side {
                        for column in 0..<side {
                            let sum = color(tracer, column, row, surfaces)
                            let place = base + row * side + column
                            place[0] = RoomsPainter.level(sum.x, noise, &random)
                            place[plane] = RoomsPainter.level(sum.y, noise, &random)
                            place[2 * plane] = RoomsPainter.level(sum.z, noise, &random)
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func level(
        _ value: Float, _ noise: Double, _ random: inout RandomStream
    ) -> UInt8 {
        var level = 255 * value
        if noise > 0 { level += Float(noise * random.exactNormal()) }
        return UInt8(min(max(level + 0.5, 0), 255))
    }

    @inline(__always)
    private func color(
        _ tracer: RoomsTracer, _ column: Int, _ row: Int,
        _ surfaces: UnsafeBufferPointer<RoomsMaterial>
    ) -> Vector3 {
        let materials = surfaces.baseAddress.unsafelyUnwrapped
        let candidates = candidates(tracer.objects, column, row)
        let lit = litShare(tracer, column, row, candidates)
        var sum = Vector3(0, 0, 0)
        for sample in 0..<4 {
            let d = direction(
                Float(column) + (sample & 1 == 0 ? 0.25 : 0.75),
                Float(row) + (sample & 2 == 0 ? 0.25 : 0.75))
            let hit = tracer.meet(d, candidates: candidates)
            sum = sum + tracer.color(hit, d, lit: lit, surfaces: materials)
        }
        return sum * 0.25
    }

    /// Of the direct light at the pixel's centre.
    @inline(__always)
    private func litShare(
        _ tracer: RoomsTracer, _ column: Int, _ row: Int, _ candidates: UInt32
    ) -> Float {
        let d = direction(Float(column) + 0.5, Float(row) + 0.5)
        let hit = tracer.meet(d, candidates: candidates)
        guard hit.surface > 0 else { return 1 }
        let place = eye + d * hit.distance
        let start = place + tracer.normal(hit, place, d) * 0.002
        return tracer.isShaded(start, towards: scene.light.direction) ? 0.15 : 1
    }

    // MARK: Ground truth

    /// Fills in the maps of the image in place `position`, from the pixels' centre rays.
    func survey(_ position: Int, into maps: inout SceneMaps) {
        let plane = side * side
        var numbers: [Int: UInt8] = [:]
        withTracer { tracer in
            for row in 0..<side {
                for column in 0..<side {
                    let d = direction(Float(column) + 0.5, Float(row) + 0.5)
                    let hit = tracer.meet(d, candidates: candidates(tracer.objects, column, row))
                    let place = position * plane + row * side + column
                    let number = numbers[hit.surface] ?? UInt8(numbers.count)
                    numbers[hit.surface] = number
                    maps.segments[place] = number
                    mark(hit.surface, place, in: &maps)
                    guard hit.surface > 0 else {
                        maps.reshading[place] = -1
                        continue
                    }
                    measure(tracer, hit, d, position, row * side + column, in: &maps)
                }
            }
        }
    }

    private func mark(_ surface: Int, _ place: Int, in maps: inout SceneMaps) {
        guard surface >= RoomsHit.firstObject else {
            maps.semantic[place] = UInt8(min(surface, 2))
            return
        }
        let index = surface - RoomsHit.firstObject
        maps.semantic[place] = UInt8(3 + traced[index].shape.rawValue)
        maps.instance[place] = UInt8(1 + index)
    }

    private func measure(
        _ tracer: RoomsTracer, _ hit: RoomsHit, _ d: Vector3, _ position: Int, _ pixel: Int,
        in maps: inout SceneMaps
    ) {
        let plane = side * side
        let place = eye + d * hit.distance
        let normal = tracer.normal(hit, place, d)
        let index = position * plane + pixel
        maps.valid[index] = 1
        maps.depth[index] = hit.distance
        maps.depthAlongAxis[index] = hit.distance * d.dot(forward)
        let facing = [normal.dot(right), normal.dot(up), -normal.dot(forward)]
        for channel in 0..<3 {
            maps.normals[(3 * position + channel) * plane + pixel] = facing[channel]
        }
        let reach: Float = 4 * 4
        let bright = max(0, -normal.dot(d)) * reach / (reach + hit.distance * hit.distance)
        maps.reshading[index] = 2 * bright - 1
        guard hit.surface >= RoomsHit.firstObject else { return }
        let object = traced[hit.surface - RoomsHit.firstObject]
        let curvatures = object.curvatures(object.local(point: place), part: hit.part)
        maps.curvatures[2 * position * plane + pixel] = curvatures.0
        maps.curvatures[(2 * position + 1) * plane + pixel] = curvatures.1
    }
}

extension RandomStream {
    /// A standard normal number with the same bits on every machine; each call draws twice.
    mutating func exactNormal() -> Double {
        let radius = (-2 * ExactMath.logarithm(1 - Double(uniform()))).squareRoot()
        return radius * ExactMath.sineAndCosine(turns: Double(uniform())).cosine
    }
}
