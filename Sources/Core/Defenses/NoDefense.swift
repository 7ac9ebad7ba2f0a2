/// Training as it is.
struct NoDefense: Defense {
    let name = "none"
    let revision = 0
    let summary = "training as it is"
    let parameters: [MethodParameter] = []
    let stage = DefenseStage.none
}
