internal import Testing

@testable internal import Repartee

@Suite struct KneeTests {
    private func point(
        _ sessions: Int,
        p90: Double,
        answers: Int = 1000,
        unanswered: Int = 0,
        underruns: Int = 0,
        lost: Int = 0
    )
        -> Knee.Point
    {
        Knee.Point(
            sessions: sessions,
            p90: p90,
            answers: answers,
            unanswered: unanswered,
            underruns: underruns,
            lost: lost
        )
    }

    @Test func `the knee is the last that answers in 1.5 times the first one's time`() {
        let points = [point(1, p90: 400), point(2, p90: 410), point(4, p90: 600), point(8, p90: 601)]
        #expect(Knee.sessions(points) == 4)
        #expect(Knee.sessions(points.reversed()) == 4)
    }

    @Test func `what holds beyond a number that does not is no knee`() {
        #expect(Knee.sessions([point(1, p90: 400), point(2, p90: 900), point(4, p90: 400)]) == 1)
    }

    @Test(arguments: [
        Knee.Point(sessions: 2, p90: 400, answers: 1000, unanswered: 0, underruns: 6, lost: 0),
        Knee.Point(sessions: 2, p90: 400, answers: 1000, unanswered: 11, underruns: 0, lost: 0),
        Knee.Point(sessions: 2, p90: 400, answers: 1000, unanswered: 0, underruns: 0, lost: 1),
        Knee.Point(sessions: 2, p90: 0, answers: 0, unanswered: 0, underruns: 0, lost: 0),
    ])
    func `stuttering, silence and refusals end it`(_ second: Knee.Point) {
        #expect(Knee.sessions([point(1, p90: 400), second]) == 1)
    }

    @Test func `without a first there is none`() {
        #expect(Knee.sessions([]) == nil)
        #expect(Knee.sessions([point(1, p90: 400, answers: 0)]) == nil)
    }
}
