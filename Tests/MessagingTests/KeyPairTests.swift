import FathomMessaging
import Testing

@Suite("Key pairs")
struct KeyPairTests {
    @Test("have public keys that no command takes for an option")
    func noDash() throws {
        // Of 85 first characters one is a dash.
        for _ in 0..<400 {
            #expect(try !CurveKeyPair.generate().publicKey.z85.hasPrefix("-"))
        }
    }
}
