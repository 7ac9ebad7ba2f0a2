import FathomCore
import Testing

/// The maps of rooms held against geometry worked out anew in `Double`.
@Suite("rooms: geometry")
struct RoomsGeometryTests {
    private static let sets = RoomsSettings.Difficulty.allCases.map {
        RoomsRenderer(RoomsSettings(difficulty: $0))
    }

    /// Calls `body` for every pixel that sees a surface.
    private func eachPixel(
        _ renderer: RoomsRenderer, _ indices: [Int],
        _ body: (PlainRayCaster, SceneMaps, Pixel) -> Void
    ) {
        let maps = renderer.maps(.train, indices)
        for (position, index) in indices.enumerated() {
            let scene = renderer.scene(.train, index)
            let caster = PlainRayCaster(scene: scene, side: maps.width)
            for row in 0..<maps.height {
                for column in 0..<maps.width {
                    let pixel = Pixel(position, row, column, maps)
                    if pixel.isValid { body(caster, maps, pixel) }
                }
            }
        }
    }

    struct Pixel {
        let image: Int
        let row: Int
        let column: Int
        let place: Int
        let isValid: Bool
        let depth: Double
        let normal: SIMD3<Double>

        init(_ image: Int, _ row: Int, _ column: Int, _ maps: SceneMaps) {
            let plane = maps.width * maps.height
            let within = row * maps.width + column
            self.image = image
            self.row = row
            self.column = column
            place = image * plane + within
            isValid = maps.valid[place] == 1
            depth = Double(maps.depth[place])
            let parts = (0..<3).map { Double(maps.normals[(3 * image + $0) * plane + within]) }
            normal = SIMD3(parts[0], parts[1], parts[2])
        }

        /// The normal in the world's frame.
        func world(_ scene: RoomsScene) -> SIMD3<Double> {
            let camera = scene.camera
            return PlainRayCaster.vector(camera.right) * normal.x
                + PlainRayCaster.vector(camera.up) * normal.y
                - PlainRayCaster.vector(camera.forward) * normal.z
        }
    }

    @Test("every surface is the nearest one, found by trying them all")
    func nearestSurfaceWins() {
        for renderer in Self.sets {
            let indices = Array(0..<50)
            let maps = renderer.maps(.train, indices)
            var differing = 0
            for (position, index) in indices.enumerated() {
                let caster = PlainRayCaster(scene: renderer.scene(.train, index), side: 32)
                for pixel in 0..<1024 {
                    let d = caster.direction(column: pixel % 32, row: pixel / 32)
                    let hit = caster.meet(d)
                    let place = position * 1024 + pixel
                    let instance = Int(maps.instance[place])
                    let expected = max(0, hit.surface - 5)
                    let isSame =
                        instance == expected && (maps.valid[place] == 1) == (hit.surface > 0)
                    if !isSame { differing += 1 }
                    if isSame, hit.surface > 0 {
                        let error = abs(Double(maps.depth[place]) - hit.distance)
                        // Grazing rays turn rounding into distance.
                        #expect(error <= 2e-3 * hit.distance, "image \(index), pixel \(pixel)")
                    }
                }
            }
            // Rays through the very edge of an object may round to either side.
            #expect(differing <= 5, "\(renderer.settings.difficulty): \(differing) of 51,200")
        }
    }

    @Test("points lie on their surfaces, and normals have length 1 and face the eye")
    func residualsAreSmall() {
        for renderer in Self.sets {
            eachPixel(renderer, Array(0..<60)) { caster, maps, pixel in
                let d = caster.direction(column: pixel.column, row: pixel.row)
                let point = caster.eye + d * pixel.depth
                let length = PlainRayCaster.dot(pixel.normal, pixel.normal).squareRoot()
                #expect(abs(length - 1) <= 1e-3)
                #expect(PlainRayCaster.dot(pixel.world(caster.scene), d) <= 1e-6)
                let along = Double(maps.depthAlongAxis[pixel.place])
                #expect(along <= pixel.depth * (1 + 1e-6) && along > 0)
                let instance = Int(maps.instance[pixel.place])
                if instance > 0 {
                    let object = caster.scene.objects[instance - 1]
                    let residual = Self.residual(object, caster, d, pixel.depth)
                    #expect(residual <= 1e-4, "\(object.shape): \(residual)")
                } else if maps.semantic[pixel.place] == 1 {
                    #expect(abs(point.y) <= 1e-4 * pixel.depth)
                }
            }
        }
    }

    /// How far a point is from fulfilling the equation of an object's surface.
    private static func residual(
        _ object: RoomsScene.Object, _ caster: PlainRayCaster, _ d: SIMD3<Double>, _ depth: Double
    ) -> Double {
        let (o, turned) = caster.local(object, d)
        let p = o + turned * depth
        let size = object.sizes.map { Double($0) }
        let axis = (p.x * p.x + p.z * p.z).squareRoot()
        switch object.shape {
        case .sphere:
            let from = p - SIMD3(0, size[0], 0)
            return abs(PlainRayCaster.dot(from, from).squareRoot() - size[0])
        case .cylinder:
            let side = max(abs(axis - size[0]), p.y - size[1], -p.y)
            return min(side, max(abs(p.y - size[1]), axis - size[0]))
        case .cone:
            // The equation's own value, which near the apex is far less than the distance.
            let radius = size[0] / size[1] * (size[1] - p.y)
            return max(abs(axis * axis - radius * radius), p.y - size[1], -p.y)
        case .box, .arch:
            return object.boxes.map { box in
                let from = p - PlainRayCaster.vector(box.centre)
                let beyond = (0..<3).map { abs(from[$0]) - Double(box.halves[$0]) }
                return abs(beyond.max() ?? .infinity)
            }.min() ?? .infinity
        }
    }

    @Test("neighbours on a plane span it")
    func planesAreFlat() {
        var worst = 0.0
        for renderer in Self.sets {
            let indices = Array(0..<40)
            let maps = renderer.maps(.train, indices)
            for (position, index) in indices.enumerated() {
                let caster = PlainRayCaster(scene: renderer.scene(.train, index), side: 32)
                for row in 0..<31 {
                    for column in 0..<31 {
                        let corner = Pixel(position, row, column, maps)
                        let beside = Pixel(position, row, column + 1, maps)
                        let below = Pixel(position, row + 1, column, maps)
                        let trio = [corner, beside, below]
                        guard trio.allSatisfy(\.isValid), isPlane(maps, corner),
                            trio.allSatisfy({
                                maps.segments[$0.place] == maps.segments[corner.place]
                                    && $0.normal == corner.normal
                            })
                        else { continue }
                        let points = trio.map {
                            caster.eye + caster.direction(column: $0.column, row: $0.row) * $0.depth
                        }
                        let normal = corner.world(caster.scene)
                        let first = points[1] - points[0]
                        let second = points[2] - points[0]
                        #expect(
                            abs(PlainRayCaster.dot(normal, first)) <= 1e-3 * corner.depth
                                && abs(PlainRayCaster.dot(normal, second)) <= 1e-3 * corner.depth)
                        let cross = SIMD3(
                            first.y * second.z - first.z * second.y,
                            first.z * second.x - first.x * second.z,
                            first.x * second.y - first.y * second.x)
                        let length = PlainRayCaster.dot(cross, cross).squareRoot()
                        let cosine = abs(PlainRayCaster.dot(cross, normal)) / length
                        worst = max(worst, 1 - cosine)
                    }
                }
            }
        }
        // The cosine of half a degree.
        #expect(worst <= 1 - 0.99996192306, "\(worst)")
    }

    private func isPlane(_ maps: SceneMaps, _ pixel: Pixel) -> Bool {
        // Floor and walls, boxes and arches.
        [1, 2, 4, 7].contains(maps.semantic[pixel.place])
    }
}
